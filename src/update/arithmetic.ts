import { sumTail } from "../format/float64.js";
import { roundSum } from "../format/round.js";
import type { UpdateSettings } from "./settings.js";

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
 * @param random gives 32 random bits for each rounding in turn; called for stochastic rounding only.
 */
export function storageArithmetic(
  { format, rounding, overflow, opmath }: Omit<UpdateSettings, "scheme" | "seed">,
  random: () => number,
): Arithmetic {
  const draw = rounding === "stochastic" ? random : () => 0;
  const store = (x: number, tail = 0) => roundSum(x, tail, format, rounding, overflow, draw());

  function add(a: number, b: number): number {
    const sum = a + b;
    // fp64 holds a sum of fp32 numbers with 53 >= 2*24 + 2 bits: rounding it on to fp32 is one rounding in
    // effect (Figueroa, "When is double rounding innocuous?", 1995).
    if (opmath === "fp32") return store(Math.fround(sum));
    // IEEE 754-2019, 6.3: an exact zero from unlike signs is -0 under toward-negative.
    if (sum === 0 && a !== 0 && rounding === "toward-negative") return store(-0);
    return store(sum, Number.isFinite(sum) ? sumTail(a, b, sum) : 0);
  }

  return { store: (x) => store(x), add, subtract: (a, b) => add(a, -b) };
}
