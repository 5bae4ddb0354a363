import { decodeMagnitude, encode, magnitudeCode } from "../../format/encode.js";
import type { Format } from "../../format/format.js";
import { nextDown, nextUp, ulp } from "../../format/neighbours.js";
import { type Rounding, round } from "../../format/round.js";

/** The numbers of a format on a line, and the intervals that round to them. */

/** What rounds to a number of the format: the interval between two reals, whose ends may belong to it or not. */
export interface Bin {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The bin of a number of the format. Under stochastic rounding that is all that may round to it. Valid for finite
 * numbers of the format; a bin of the largest finite number may have no end.
 */
export function binOf(value: number, format: Format, rounding: Rounding): Bin {
  const end = (side: -1 | 1) => {
    const next = side === 1 ? nextUp(value, format) : nextDown(value, format);
    const reached = reach(value, side, format, rounding);
    if (Number.isFinite(next)) return value + reached * (next - value);
    return isBounded(reached, format, rounding)
      ? value + side * reached * ulp(value, format)
      : side * Infinity;
  };
  return { value, low: end(-1), high: end(1) };
}

/** Whether the largest finite number's bin ends on its outer side: not where what is beyond is brought back to it. */
function isBounded(reached: number, format: Format, rounding: Rounding): boolean {
  return format.hasNaN && rounding !== "to-odd" && (reached < 1 || rounding === "stochastic");
}

/** How far the bin reaches to one side, in gaps there. */
function reach(value: number, side: -1 | 1, format: Format, rounding: Rounding): 0 | 0.5 | 1 {
  switch (rounding) {
    case "nearest-even":
    case "nearest-away":
      return 0.5;
    case "toward-zero":
      return value === 0 || Math.sign(value) === side ? 1 : 0;
    case "toward-positive":
      return side === -1 ? 1 : 0;
    case "toward-negative":
      return side === 1 ? 1 : 0;
    case "to-odd":
      return isOdd(value, format) ? 1 : 0;
    case "stochastic":
      return 1;
  }
}

function isOdd(value: number, format: Format): boolean {
  return magnitudeCode(Math.abs(value), format) % 2 === 1;
}

export interface Ticks {
  /** Ascending. */
  readonly values: readonly number[];
  /** Numbers of the format from one tick to the next: a power of two. */
  readonly stride: number;
}

/**
 * The numbers of the format from `low` to `high`, or, where they are more than `most`, those whose code is a multiple
 * of a power of two, as on a ruler.
 */
export function ticksIn(low: number, high: number, format: Format, most: number): Ticks {
  const first = position(round(low, format, { rounding: "toward-positive", overflow: "saturate" }), format);
  const last = position(round(high, format, { rounding: "toward-negative", overflow: "saturate" }), format);
  let stride = 1;
  while ((last - first) / stride > most) stride *= 2;
  const values: number[] = [];
  for (let at = Math.ceil(first / stride) * stride; at <= last; at += stride)
    values.push(valueAt(at, format));
  return { values, stride };
}

/** Where a number stands among those of its format: 0 for zero, 1 for the smallest positive one, -1 for its mirror. */
function position(value: number, format: Format): number {
  return Math.sign(value) * magnitudeCode(Math.abs(value), format) || 0;
}

function valueAt(at: number, format: Format): number {
  return Math.sign(at) * decodeMagnitude(Math.abs(at), format) || 0;
}

/** The bits of a number of the format, sign first. */
export function bitsOf(value: number, format: Format): number[] {
  const code = encode(value, format);
  return Array.from({ length: format.bits }, (_, i) => Math.floor(code / 2 ** (format.bits - 1 - i)) % 2);
}
