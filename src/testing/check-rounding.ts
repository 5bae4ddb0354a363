import { decode } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { ulpExponent } from "../format/neighbours.js";
import { formatOf } from "../format/registry.js";
import { checkedOptions, type RoundOptions, roundSum } from "../format/round.js";
import { type BitsQuestion, bitMistakes } from "../vectors/bit-mistakes.js";
import { Collected } from "../vectors/collected.js";
import { describeFailure, hex, withCode } from "../vectors/describe.js";
import { Draw } from "../vectors/draw.js";
import { float32Bits, float32FromBits } from "../vectors/float64-bits.js";
import { kindOf, sameNumber } from "../vectors/mistake.js";
import { numberSource } from "../vectors/number-source.js";
import { isEnumerable, type Level, roundingInputs } from "../vectors/rounding-inputs.js";
import { type RoundingQuestion, type RoundingTo, roundingMistakes } from "../vectors/rounding-mistakes.js";
import { ArithmeticMismatch, type Checked } from "./mismatch.js";

/** What is asked of somebody's rounding. */
export interface RoundingCheck extends Pick<RoundOptions, "rounding" | "overflow"> {
  /** What the inputs are numbers of: `fp64` (default), or a format such as `fp32`. */
  readonly from?: Format | string;
  /**
   * 1: some ten thousand hard inputs; 2 (default): every number and midpoint with its neighbours, of formats of up to 19
   * bits, and random ones.
   */
  readonly level?: 1 | 2;
  /** Of the random inputs. Default 0. */
  readonly seed?: number;
}

/**
 * Checks a rounding of numbers against the right one: at every number and midpoint of the format and their neighbours, where
 * it has at most 19 bits, else at hard ones; then at random numbers.
 *
 * @param mine rounds a number to a number of the format. For `stochastic` it takes 32 random bits, and goes away from zero
 *   where the fraction of a gap, in 32 bits, and these carry out of 32 bits.
 * @param format a format or its name.
 * @param options rounding, overflow, what the inputs are numbers of.
 * @returns how many cases were right, and whether they were all that matter.
 * @throws ArithmeticMismatch if any is wrong; RangeError for an unknown name.
 * @example checkRounding(Math.fround, "fp32").exhaustive; // false
 */
export function checkRounding(
  mine: (x: number, randomBits: number) => number,
  format: Format | string,
  options: RoundingCheck = {},
): Checked {
  const { to, source, level, draw } = asked(format, options);
  const results = new Collected<RoundingQuestion, number>(sameNumber, ({ expected, found }) =>
    kindOf(expected, found, ulpsOf(to.format)),
  );
  for (const x of roundingInputs(to.format, source, level, draw)) {
    for (const randomBits of randomBitsFor(x, to, draw)) {
      results.add({ x, randomBits }, right(x, to, randomBits), mine(x, randomBits));
    }
  }
  const outcome = results.outcome(() => roundingMistakes(to));
  if (outcome.wrong > 0) {
    const line = ({ x, randomBits }: RoundingQuestion, expected: number, found: number) =>
      `${withCode(x, source.format)}${bitsShown(to, randomBits)} gives ${withCode(found, to.format)}, ` +
      `expected ${withCode(expected, to.format)}`;
    throw new ArithmeticMismatch(
      describeFailure(`${nameOf(to)} from ${source.name}`, outcome, line),
      outcome.cases,
      outcome.wrong,
      outcome.mistakes,
    );
  }
  return { cases: outcome.cases, exhaustive: level !== "1" && isEnumerable(to.format) };
}

/** NaNs of fp32: quiet and signalling, payloads in the upper and lower bits, both signs. */
const nanBits = [
  0x7f800001, 0x7f80ffff, 0x7f810000, 0x7fbfffff, 0x7fc00000, 0x7fc00001, 0x7fff0000, 0x7fff8000, 0x7fffffff,
].flatMap((bits) => [bits, bits + 2 ** 31]);

/**
 * Checks an encoder that takes the bits of an fp32 number and gives a code: as {@link checkRounding} from fp32, and with NaNs
 * of every payload, which a number in JavaScript does not keep.
 *
 * @param mine takes an unsigned integer of 32 bits to an unsigned code of the format. For a NaN any code of a NaN is right.
 * @param format a format or its name.
 * @param options rounding and overflow.
 * @returns how many cases were right, and whether they were all that matter.
 * @throws ArithmeticMismatch if any is wrong; RangeError for an unknown name.
 * @example checkEncoding((bits) => bits, "fp32").exhaustive; // false
 */
export function checkEncoding(
  mine: (bits: number, randomBits: number) => number,
  format: Format | string,
  options: Omit<RoundingCheck, "from"> = {},
): Checked {
  const { to, source, level, draw } = asked(format, { ...options, from: "fp32" });
  const results = new Collected<BitsQuestion, number>(sameNumber, ({ expected, found }) =>
    kindOf(expected, found, ulpsOf(to.format)),
  );
  const codes = 2 ** to.format.bits;
  const ask = (bits: number) => {
    const x = float32FromBits(bits);
    // Where a format has no NaN there is no right answer to one.
    if (Number.isNaN(x) && !to.format.hasNaN) return;
    for (const randomBits of randomBitsFor(x, to, draw)) {
      const code = mine(bits, randomBits);
      const found = Number.isInteger(code) && code >= 0 && code < codes ? decode(code, to.format) : Infinity;
      results.add({ x, bits, randomBits }, right(x, to, randomBits), found);
    }
  };
  for (const bits of nanBits) ask(bits);
  for (const x of roundingInputs(to.format, source, level, draw)) if (!Number.isNaN(x)) ask(float32Bits(x));
  const outcome = results.outcome(() => bitMistakes(to));
  if (outcome.wrong > 0) {
    const line = ({ x, bits, randomBits }: BitsQuestion, expected: number, found: number) =>
      `${hex(bits, 32)} (${withCode(x, null)})${bitsShown(to, randomBits)} gives ${withCode(found, to.format)}, ` +
      `expected ${withCode(expected, to.format)}`;
    throw new ArithmeticMismatch(
      describeFailure(`${nameOf(to)} from the bits of fp32`, outcome, line),
      outcome.cases,
      outcome.wrong,
      outcome.mistakes,
    );
  }
  return { cases: outcome.cases, exhaustive: level !== "1" && isEnumerable(to.format) };
}

function asked(
  format: Format | string,
  { rounding, overflow, from = "fp64", level = 2, seed = 0 }: RoundingCheck,
) {
  const of = formatOf(format);
  const options = checkedOptions({
    ...(rounding && { rounding }),
    ...(overflow && { overflow }),
    randomBits: 0,
  });
  const to: RoundingTo = { format: of, rounding: options.by, overflow: options.overflow };
  return {
    to,
    source: numberSource(from),
    level: String(level) as Level,
    draw: new Draw(seed, `round ${of.name}`),
  };
}

function right(x: number, { format, rounding, overflow }: RoundingTo, randomBits: number): number {
  return roundSum(x, 0, format, rounding, overflow, randomBits);
}

/** For stochastic rounding the random bits on both sides of those at which it changes its mind; else none. */
export function randomBitsFor(x: number, { format, rounding }: RoundingTo, draw: Draw): readonly number[] {
  if (rounding !== "stochastic") return [0];
  const magnitude = Math.abs(x);
  if (!Number.isFinite(x) || x === 0) return [draw.bits()];
  const gap = 2 ** ulpExponent(x, format);
  const place = magnitude / gap;
  const fraction = Math.floor((place - Math.floor(place)) * 2 ** 32);
  return fraction === 0 ? [draw.bits()] : [2 ** 32 - fraction - 1, 2 ** 32 - fraction];
}

export function bitsShown({ rounding }: RoundingTo, randomBits: number): string {
  return rounding === "stochastic" ? ` with ${hex(randomBits, 32)}` : "";
}

export function nameOf({ format, rounding, overflow }: RoundingTo): string {
  return `${format.name} ${rounding}${overflow === "saturate" ? " saturating" : ""}`;
}

/** How many numbers of the format lie between two. */
export function ulpsOf(format: Format): (a: number, b: number) => number {
  return (a, b) => Math.abs(a - b) / 2 ** ulpExponent(Math.max(Math.abs(a), Math.abs(b)), format);
}
