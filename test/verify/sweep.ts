import { format } from "../../src/format/registry.js";
import { roundSum } from "../../src/format/round.js";
import { float32FromBits } from "../support/bits.js";
import { deterministicRoundings } from "../support/oracle.js";
import type { Count } from "./count.js";
import { bitFormats, NAN, roundBits } from "./integer-round.js";

/** Patterns in a piece: all those with the same upper half. */
const SIZE = 2 ** 16;

/** Rounds fp32 patterns to a format under the six deterministic roundings, and compares bits. */
export function sweep(name: keyof typeof bitFormats, round: typeof roundSum = roundSum) {
  const record = format(name);
  const bitFormat = bitFormats[name];
  const bits = new Int32Array(SIZE);
  const numbers = new Float32Array(bits.buffer);
  const rounded = new Float32Array(SIZE);
  const roundedBits = new Int32Array(rounded.buffer);

  return (upperHalf: number, count: Count): void => {
    for (let i = 0; i < SIZE; i++) bits[i] = (upperHalf << 16) | i;
    for (const rounding of deterministicRoundings) {
      for (let i = 0; i < SIZE; i++) rounded[i] = round(numbers[i]!, 0, record, rounding, "ieee", 0);
      for (let i = 0; i < SIZE; i++) {
        const expected = roundBits(bits[i]!, bitFormat, rounding);
        if (roundedBits[i] === expected || (expected === NAN && Number.isNaN(rounded[i]))) continue;
        count.miss(
          () =>
            `0x${(bits[i]! >>> 0).toString(16)} to ${name}, ${rounding}: ` +
            `expected ${float32FromBits(expected >>> 0)}, got ${rounded[i]}`,
        );
      }
    }
    count.cases += SIZE * deterministicRoundings.length;
  };
}
