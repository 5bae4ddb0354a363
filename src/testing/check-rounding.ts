import { decode } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { formatOf } from "../format/registry.js";
import { checkedOptions, type RoundOptions } from "../format/round.js";
import { numberSource } from "../vectors/number-source.js";
import type { RoundingTo } from "../vectors/rounding-mistakes.js";
import { roundingSubject } from "../vectors/rounding-subject.js";
import { type Checked, type CheckOptions, check } from "./mismatch.js";

/** What is asked of somebody's rounding. */
export interface RoundingCheck extends CheckOptions, Pick<RoundOptions, "rounding" | "overflow"> {
  /** What the inputs are numbers of: `fp64` (default), or a format such as `fp32`. */
  readonly from?: Format | string;
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
  const subject = roundingSubject(roundingTo(format, options), numberSource(options.from ?? "fp64"));
  return check(subject, ({ x, randomBits }) => mine(x, randomBits), options);
}

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
  const to = roundingTo(format, options);
  const codes = 2 ** to.format.bits;
  // What is no code is never right: no number of a format is half of its smallest one.
  const numberOf = (code: number) =>
    Number.isInteger(code) && code >= 0 && code < codes ? decode(code, to.format) : to.format.minPositive / 2;
  const subject = roundingSubject(to, numberSource("fp32"));
  return check(subject, ({ bits, randomBits }) => numberOf(mine(bits, randomBits)), options);
}

/** @throws RangeError for an unknown name. */
export function roundingTo(
  format: Format | string,
  { rounding, overflow }: Pick<RoundOptions, "rounding" | "overflow">,
): RoundingTo {
  const asked = { ...(rounding && { rounding }), ...(overflow && { overflow }), randomBits: 0 };
  const { by, overflow: beyond } = checkedOptions(asked);
  return { format: formatOf(format), rounding: by, overflow: beyond };
}
