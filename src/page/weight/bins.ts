import { decodeMagnitude, encode, magnitudeCode } from "../../format/encode.js";
import type { Format } from "../../format/format.js";
import { round } from "../../format/round.js";

/** The numbers of a format on a line. */

export interface Ticks {
  /** Ascending. */
  readonly values: readonly number[];
  /** The number of format numbers between ticks: a power of two. */
  readonly stride: number;
}

/**
 * The numbers of the format from `low` to `high`; if there are more than `most`, those whose code is a multiple of a
 * power of two, as on a ruler.
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

/** The number of grid lines, at most. */
const mostLines = 24;
/** The number of intervals of a range that is wide against its numbers. */
const intervals = 4;

/**
 * Numbers of the format for a linear axis from `low` to `high`: {@link ticksIn}, or where these are dense at one end, as
 * the numbers of a format are near zero, the numbers next to equal intervals.
 */
export function gridIn(low: number, high: number, format: Format): readonly number[] {
  const { values } = ticksIn(low, high, format, mostLines);
  // Values that share a twelfth of the axis are one line to the eye.
  const places = new Set(values.map((value) => Math.floor(12 * ((value - low) / (high - low)))));
  if (values.length < 8 || places.size >= intervals) return values;
  const near = Array.from({ length: intervals + 1 }, (_, i) =>
    round(low + (i / intervals) * (high - low), format, { overflow: "saturate" }),
  );
  return [...new Set(near)].filter((value) => value >= low && value <= high);
}

/** The signed index of a number in its format: 0 for zero, 1 for the smallest positive number, -1 for its negative. */
function position(value: number, format: Format): number {
  return Math.sign(value) * magnitudeCode(Math.abs(value), format) || 0;
}

function valueAt(at: number, format: Format): number {
  return Math.sign(at) * decodeMagnitude(Math.abs(at), format) || 0;
}

/** The bits of a number of the format, sign bit first. */
export function bitsOf(value: number, format: Format): number[] {
  const code = encode(value, format);
  return Array.from({ length: format.bits }, (_, i) => Math.floor(code / 2 ** (format.bits - 1 - i)) % 2);
}
