import type { Format } from "../../format/format.js";
import { gapAt } from "../../format/round.js";
import type { Lane } from "./lane.js";
import { bitsOf, exponentBias, infinityBits, magnitude as magnitudeOf } from "./numbers.js";
import type { LaneRounding } from "./round.js";

/** Whether {@link encode} takes a format: its normal numbers are normal numbers of fp32. */
export function isEncodable({ signed, bias }: Format): boolean {
  return signed && bias <= exponentBias;
}

/**
 * The codes of numbers of the format, as encode of format/encode.ts gives them. Valid for formats that {@link isEncodable}
 * takes.
 *
 * @param nanCode of what is NaN.
 */
export function encode<V>(k: Lane<V>, x: V, format: Format, nanCode: number): V {
  const { i32x4, v128 } = k;
  const { precision, hasInfinity, maxFiniteCode } = format;
  const magnitude = magnitudeOf(k, x);
  const upper = precision === 24 ? magnitude : i32x4.shr_u(magnitude, 24 - precision);
  let code = codeOf(k, upper, magnitude, format);
  if (hasInfinity) {
    const infinite = i32x4.eq(magnitude, i32x4.constant(infinityBits));
    code = v128.select(infinite, i32x4.constant(maxFiniteCode + 1), code);
  }
  return signedOrNaN(k, code, x, i32x4.gt_s(magnitude, i32x4.constant(infinityBits)), format, nanCode);
}

/** Whether {@link encodeNearest} takes a rounding. */
export function isEncodedAtOnce({ format, rounding }: LaneRounding): boolean {
  const { precision, subnormals, unsignedZero } = format;
  return rounding === "nearest-even" && isEncodable(format) && precision <= 22 && subnormals && !unsignedZero;
}

/**
 * The codes of what lanes of fp32 numbers round to, `encode(round(x))` in half the operations. Valid for roundings that
 * {@link isEncodedAtOnce} takes.
 */
export function encodeNearest<V>(k: Lane<V>, x: V, to: LaneRounding, nanCode: number): V {
  const { i32x4, v128 } = k;
  const { format, overflow } = to;
  const { precision, hasInfinity, hasNaN, maxFiniteCode } = format;
  const drop = 24 - precision;
  const magnitude = magnitudeOf(k, x);
  const parity = v128.and(i32x4.shr_u(magnitude, drop), i32x4.constant(1));
  const carried = i32x4.add(i32x4.add(magnitude, i32x4.constant(2 ** (drop - 1) - 1)), parity);
  const code = codeOf(k, i32x4.shr_u(carried, drop), magnitude, format);
  const nan = i32x4.gt_s(magnitude, i32x4.constant(infinityBits));
  if (overflow === "saturate" || !hasNaN) {
    const limited = i32x4.min_s(code, i32x4.constant(maxFiniteCode));
    return signedOrNaN(k, limited, x, nan, format, nanCode);
  }
  if (hasInfinity) {
    const limited = i32x4.min_s(code, i32x4.constant(maxFiniteCode + 1));
    return signedOrNaN(k, limited, x, nan, format, nanCode);
  }
  const outside = i32x4.gt_s(code, i32x4.constant(maxFiniteCode));
  return signedOrNaN(k, code, x, v128.or(nan, outside), format, nanCode);
}

/**
 * @param upper the digits of a magnitude that the format has, as they are in fp32.
 * @param magnitude of a number of the format, or of one that is rounded: below the normal range this does it.
 */
function codeOf<V>(k: Lane<V>, upper: V, magnitude: V, format: Format): V {
  const { f32x4, i32x4, v128 } = k;
  const { precision, bias, minNormal } = format;
  if (bias === exponentBias) return upper;
  const fields = (exponentBias - bias) * 2 ** (precision - 1);
  // Below the normal range a number is its code in gaps: added to 2^23 gaps, it is the last digits of the sum, which is
  // rounded to nearest-even. A product by which fp32 makes it subnormal would take many times longer (measured).
  const many = gapAt(format.minExponent - 1, format) * 2 ** 23;
  const below = i32x4.sub(f32x4.add(magnitude, f32x4.constant(many)), i32x4.constant(bitsOf(many)));
  const isBelow = i32x4.lt_s(magnitude, i32x4.constant(bitsOf(minNormal)));
  const normal = i32x4.sub(upper, i32x4.constant(fields));
  // Without subnormal numbers what lies below is zero.
  return v128.select(isBelow, format.subnormals ? below : i32x4.constant(0), normal);
}

function signedOrNaN<V>(k: Lane<V>, code: V, x: V, nan: V, { bits, hasNaN }: Format, nanCode: number): V {
  const { i32x4, v128 } = k;
  const sign = v128.and(bits === 32 ? x : i32x4.shr_u(x, 32 - bits), i32x4.constant(2 ** (bits - 1)));
  const signed = v128.or(code, sign);
  return hasNaN ? v128.select(nan, i32x4.constant(nanCode), signed) : signed;
}
