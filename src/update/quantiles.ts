import { randomBits, type Words } from "./threefry.js";

/**
 * Numbers from a distribution given by its quantiles: the leading bits of a random word select the table
 * entry for element i. Integers and a table only, so every device draws the same.
 */
export interface Quantiles {
  /** 2^k equally likely fp32 numbers, k from 0 to 16. */
  readonly table: Float32Array;
  /** The key of a step of a tensor, as `stepKey` makes it. */
  readonly key: Words;
}

/** The draw index reserved for updates: no scheme rounds so often in a step. */
export const quantileDraw = 4095;

/** The number of element i. Valid for table lengths allowed by {@link Quantiles}. */
export function quantileOf({ table, key }: Quantiles, element: number): number {
  return table[Math.floor(randomBits(key, element, quantileDraw) / (2 ** 32 / table.length))];
}
