import { decode } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { formatOf } from "../format/registry.js";
import { checkedOptions, type RoundOptions } from "../format/round.js";
import { numberSource } from "../vectors/number-source.js";
import { roundingSubject } from "../vectors/rounding-subject.js";
import type { RoundingTo } from "../vectors/rounding-to.js";
import { type Checked, type CheckOptions, check, expectFunction } from "./mismatch.js";

/** Options for checking a rounding. */
export interface RoundingCheck extends CheckOptions, Pick<RoundOptions, "rounding" | "overflow"> {
  /** The input format: `fp64` (default), or a format such as `fp32`. */
  readonly from?: Format | string;
}

/**
 * Checks a rounding against the correct one: at every number and midpoint of the format and their neighbours
 * if it has at most 19 bits, otherwise at hard ones; then at random numbers.
 *
 * @param mine the function under test. For `stochastic` it also takes 32 random bits, and rounds away from
 * zero if the fraction of a gap, in 32 bits, plus these bits carries out.
 * @param format a format or its name.
 * @param options rounding, overflow, input format.
 * @returns the number of cases, and whether these cover everything.
 * @throws ArithmeticMismatch if any is wrong; RangeError for an unknown name or level, TypeError without a function.
 * @example checkRounding(Math.fround, "fp32").exhaustive; // false
 */
export function checkRounding(
  mine: (x: number, randomBits: number) => number,
  format: Format | string,
  options: RoundingCheck = {},
): Checked {
  expectFunction(mine);
  const subject = roundingSubject(roundingTo(format, options), numberSource(options.from ?? "fp64"));
  return check(subject, ({ x, randomBits }) => mine(x, randomBits), options);
}

/**
 * Checks an encoder from fp32 bits to codes: like {@link checkRounding} from fp32, plus NaNs with all kinds
 * of payloads, which JavaScript numbers do not preserve.
 *
 * @param mine the function under test: takes an unsigned 32-bit integer and returns an unsigned code of the
 * format. For a NaN, any NaN code is correct.
 * @param format a format or its name.
 * @param options rounding and overflow.
 * @returns the number of cases, and whether these cover everything.
 * @throws ArithmeticMismatch if any is wrong; RangeError for an unknown name or level, TypeError without a function.
 * @example checkEncoding((bits) => bits, "fp32").exhaustive; // false
 */
export function checkEncoding(
  mine: (bits: number, randomBits: number) => number,
  format: Format | string,
  options: Omit<RoundingCheck, "from"> = {},
): Checked {
  expectFunction(mine);
  const to = roundingTo(format, options);
  const codes = 2 ** to.format.bits;
  // An invalid code is always wrong: half the smallest number is in no format.
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
