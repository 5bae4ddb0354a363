import { codeOf, decode, decodeMagnitude } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { nextDown, nextUp } from "../format/neighbours.js";
import { formatOf } from "../format/registry.js";
import { round } from "../format/round.js";
import { float64FromWords, float64Words, stepFloat64 } from "./float64-bits.js";

/** The format in which the inputs of a rounding come: fp64, or one of those that are rounded to. */
export interface NumberSource {
  readonly name: string;
  readonly bits: number;
  readonly precision: number;
  /** Null for fp64. */
  readonly format: Format | null;
  /** Whether it has a number: not every one has NaN, infinities, or a zero with a sign. */
  has(x: number): boolean;
  /** A number of the source near `x`, `steps` of its numbers above the nearest. */
  near(x: number, steps: number): number;
  /** Codes in words of 32 bits, the upper one first. */
  readonly words: 1 | 2;
  write(x: number, to: Uint32Array, at: number): void;
  read(from: Uint32Array, at: number): number;
}

const fp64: NumberSource = {
  name: "fp64",
  bits: 64,
  precision: 53,
  format: null,
  has: () => true,
  near: (x, steps) => (Number.isFinite(x) ? stepFloat64(x, steps) : x),
  words: 2,
  write(x, to, at) {
    const [upper, lower] = Number.isNaN(x) ? [0x7ff80000, 0] : float64Words(x);
    to[at] = upper;
    to[at + 1] = lower;
  },
  read: (from, at) => float64FromWords(from[at], from[at + 1]),
};

/** @throws RangeError for an unknown name, and for a format without sign. */
export function numberSource(formatOrName: Format | string): NumberSource {
  if (
    formatOrName === "fp64" ||
    formatOrName === "float64" ||
    formatOrName === "double" ||
    formatOrName === "F64"
  )
    return fp64;
  const format = formatOf(formatOrName);
  if (!format.signed) throw new RangeError(`inputs in ${format.name}: expected a format with a sign`);
  return {
    name: format.name,
    bits: format.bits,
    precision: format.precision,
    format,
    has: (x) =>
      Number.isNaN(x) ? format.hasNaN : Object.is(round(x, format, { rounding: "toward-zero" }), x),
    near(x, steps) {
      let near = round(x, format, { overflow: "saturate" });
      for (let i = 0; i < Math.abs(steps); i++)
        near = steps > 0 ? nextUp(near, format) : nextDown(near, format);
      return near;
    },
    words: 1,
    write(x, to, at) {
      to[at] = codeOf(x, format);
    },
    read: (from, at) => decode(from[at], format),
  };
}

/** The number of a magnitude code; one beyond the largest is the number that would follow it. */
export function numberAt(code: number, format: Format): number {
  if (code <= format.maxFiniteCode) return decodeMagnitude(code, format);
  return format.maxFinite + format.epsilon * 2 ** format.maxExponent;
}
