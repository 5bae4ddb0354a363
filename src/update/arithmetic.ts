import { addTo, type ResultRounding } from "../format/operations.js";
import { roundSum } from "../format/round.js";

/** Operations on fp32 numbers whose results are numbers of the storage format. */
export interface Arithmetic {
  /** Rounds to the storage format. */
  store(x: number): number;
  add(a: number, b: number): number;
  subtract(a: number, b: number): number;
}

/**
 * The arithmetic of a storage format under an opmath.
 *
 * @param random called for 32 random bits at each stochastic rounding.
 */
export function storageArithmetic(to: ResultRounding, random: () => number): Arithmetic {
  const draw = to.rounding === "stochastic" ? random : () => 0;
  return {
    store: (x) => roundSum(x, 0, to.format, to.rounding, to.overflow, draw()),
    add: (a, b) => addTo(a, b, to, draw()),
    subtract: (a, b) => addTo(a, -b, to, draw()),
  };
}
