import { decodeMagnitude, magnitudeCode } from "./encode.js";
import { exponentOf } from "./float64.js";
import type { Format } from "./format.js";
import { formatOf } from "./registry.js";
import { gapAt, roundSum } from "./round.js";

/**
 * The gap between the numbers of `format` in the binade of |x|: 2^(e+1-precision) with e = floor(log2 |x|),
 * at least that of the smallest normal number and at most that of the largest finite one. At a power of two,
 * the gap below is half of this. NaN gives NaN.
 *
 * @param x any number.
 * @param formatOrName a format or its name.
 * @returns a power of two, or NaN.
 * @throws RangeError for an unknown format, TypeError for anything but a number.
 * @example ulp(0.02, "bf16"); // 0.0001220703125
 */
export function ulp(x: number, formatOrName: Format | string): number {
  const format = formatOf(formatOrName);
  if (Number.isNaN(expectNumber(x))) return NaN;
  return gapAt(ulpBinade(x, format), format);
}

/** log2 of {@link ulp}, for any number except NaN. */
export function ulpExponent(x: number, format: Format): number {
  return exponentOf(gapAt(ulpBinade(x, format), format));
}

function ulpBinade(x: number, format: Format): number {
  if (x === 0) return format.minExponent - 1;
  return Number.isFinite(x) ? Math.min(exponentOf(x), format.maxExponent) : format.maxExponent;
}

/**
 * The smallest number of `format` greater than `x`, which need not be in the format (IEEE 754-2019, 5.3.1).
 * Above the largest finite number: Infinity, or NaN in formats without Infinity.
 *
 * @param x any number.
 * @param formatOrName a format or its name.
 * @returns a number of the format, Infinity or NaN.
 * @throws RangeError for an unknown format, TypeError for anything but a number.
 * @example nextUp(1, "bf16"); // 1.0078125
 */
export function nextUp(x: number, formatOrName: Format | string): number {
  return above(expectNumber(x), formatOf(formatOrName));
}

function above(x: number, format: Format): number {
  if (Number.isNaN(x)) return NaN;
  if (!format.signed && x < format.minPositive) return format.minPositive;
  if (x >= format.maxFinite) return format.hasInfinity ? Infinity : NaN;
  if (x < -format.maxFinite) return -format.maxFinite;
  const ceiling = roundSum(x, 0, format, "toward-positive", "ieee", 0);
  if (ceiling > x) return ceiling;
  if (ceiling >= 0) return nextMagnitude(ceiling, format, 1);
  const next = nextMagnitude(-ceiling, format, -1);
  return next === 0 && format.unsignedZero ? 0 : -next;
}

/**
 * The largest number of `format` less than `x`; the mirror image of {@link nextUp}. NaN if an unsigned format
 * has none.
 *
 * @param x any number.
 * @param formatOrName a format or its name.
 * @returns a number of the format, -Infinity or NaN.
 * @throws RangeError for an unknown format, TypeError for anything but a number.
 * @example nextDown(1, "bf16"); // 0.99609375
 */
export function nextDown(x: number, formatOrName: Format | string): number {
  const format = formatOf(formatOrName);
  if (!format.signed) return nextDownUnsigned(expectNumber(x), format);
  const up = above(-expectNumber(x), format);
  return up === 0 && format.unsignedZero ? 0 : -up;
}

/** @throws TypeError for what JavaScript would convert. */
function expectNumber(x: number): number {
  if (typeof x === "number") return x;
  throw new TypeError(`expected a number, found ${typeof x === "string" ? JSON.stringify(x) : String(x)}`);
}

function nextDownUnsigned(x: number, format: Format): number {
  if (!(x > format.minPositive)) return NaN;
  const floor = roundSum(x, 0, format, "toward-zero", "saturate", 0);
  return floor < x ? floor : nextMagnitude(floor, format, -1);
}

function nextMagnitude(magnitude: number, format: Format, step: 1 | -1): number {
  if (!format.subnormals && format.signed) {
    if (step === 1 && magnitude === 0) return format.minNormal;
    if (step === -1 && magnitude === format.minNormal) return 0;
  }
  return decodeMagnitude(magnitudeCode(magnitude, format) + step, format);
}
