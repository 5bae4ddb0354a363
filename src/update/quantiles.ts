import { randomBits, type Words } from "./threefry.js";

/**
 * Numbers from a distribution given by its quantiles: element i is the entry of the table that the leading bits of
 * a random word choose. Integers and a table only, so that every device draws the same.
 */
export interface Quantiles {
  /** 2^k equally likely fp32 numbers, k from 0 to 16. */
  readonly table: Float32Array;
  /** The key of a step of a tensor, as `stepKey` makes it. */
  readonly key: Words;
}

/** The draw of a step that is kept for its updates: no scheme rounds so often. */
export const quantileDraw = 4095;

/** The number of element i. Valid for tables of a length as {@link Quantiles} has it. */
export function quantileOf({ table, key }: Quantiles, element: number): number {
  return table[Math.floor(randomBits(key, element, quantileDraw) / (2 ** 32 / table.length))];
}
