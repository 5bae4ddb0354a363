import { codeOf, decode } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { ulpExponent } from "../format/neighbours.js";
import { hex, withCode } from "./describe.js";
import type { Draw } from "./draw.js";
import { type Compared, kindOf, sameNumber } from "./mistake.js";
import type { RoundingTo } from "./rounding-to.js";
import { column } from "./subject.js";

/** The parts of a subject whose answers are numbers of a format. */
export function numberResults(format: Format) {
  return {
    results: [column("result", format.bits)],
    writeAnswer(x: number, to: Uint32Array, at: number): void {
      to[at] = codeOf(x, format);
    },
    readAnswer: (from: Uint32Array, at: number): number => decode(from[at], format),
    same: sameNumber,
    kindOf: ({ expected, found }: Compared<unknown, number>) => kindOf(expected, found, ulpsOf(format)),
  };
}

/** How many numbers of the format lie between two. */
function ulpsOf(format: Format): (a: number, b: number) => number {
  return (a, b) => Math.abs(a - b) / 2 ** ulpExponent(Math.max(Math.abs(a), Math.abs(b)), format);
}

/** For stochastic rounding the random bits on both sides of those at which it changes its mind; else none. */
export function randomBitsFor(x: number, { format, rounding }: RoundingTo, draw: Draw): readonly number[] {
  if (rounding !== "stochastic") return [0];
  if (!Number.isFinite(x) || x === 0) return [draw.bits()];
  const place = Math.abs(x) / 2 ** ulpExponent(x, format);
  const fraction = Math.floor((place - Math.floor(place)) * 2 ** 32);
  return fraction === 0 ? [draw.bits()] : [2 ** 32 - fraction - 1, 2 ** 32 - fraction];
}

/** `bf16 nearest-even`. */
export function nameOf({ format, rounding, overflow }: RoundingTo): string {
  return `${format.name} ${rounding}${overflow === "saturate" ? " saturating" : ""}`;
}

/** What was asked, found and expected. */
export function describeNumber(
  asked: string,
  { rounding, format }: RoundingTo,
  randomBits: number,
  { expected, found }: Compared<unknown, number>,
): string {
  const random = rounding === "stochastic" ? ` with ${hex(randomBits, 32)}` : "";
  return `${asked}${random} gives ${withCode(found, format)}, expected ${withCode(expected, format)}`;
}
