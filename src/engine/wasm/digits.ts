import type { ExactSum } from "../../lens/sum.js";
import { lowestExponent } from "./kernel/sum.js";

/** The number of 64-bit digits of an exact sum in kernel/sum.ts. */
export const sumDigits = 20;
export const sumBytes = 8 * sumDigits;

/** Adds the sum whose digits are at an offset. */
export function addDigits(bytes: DataView, offset: number, sum: ExactSum): void {
  for (let i = 0; i < sumDigits; i++) {
    // A digit before carry propagation: 32 bits plus carries, both exact in fp64.
    const low = bytes.getUint32(offset + 8 * i, true);
    const high = bytes.getInt32(offset + 8 * i + 4, true);
    if (low !== 0) sum.add(low * 2 ** (lowestExponent + 32 * i));
    if (high !== 0) sum.add(high * 2 ** (lowestExponent + 32 * (i + 1)));
  }
}
