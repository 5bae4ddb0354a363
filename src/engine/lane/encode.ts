import type { Format } from "../../format/format.js";
import { gapAt } from "../../format/round.js";
import type { Lane } from "./lane.js";
import { bitsOf, exponentBias, infinityBits, magnitude as magnitudeOf } from "./numbers.js";

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
  const { f32x4, i32x4, v128 } = k;
  const { bits, precision, bias, hasInfinity, hasNaN, maxFiniteCode, minNormal } = format;
  const magnitude = magnitudeOf(k, x);
  let code = precision === 24 ? magnitude : i32x4.shr_u(magnitude, 24 - precision);
  if (bias !== exponentBias) {
    const fields = (exponentBias - bias) * 2 ** (precision - 1);
    // Below the normal range a number is its code in gaps: added to 2^23 gaps, it is the last digits of the sum. A product
    // by which fp32 makes it subnormal would take many times longer (measured).
    const many = gapAt(format.minExponent - 1, format) * 2 ** 23;
    const below = i32x4.sub(f32x4.add(magnitude, f32x4.constant(many)), i32x4.constant(bitsOf(many)));
    const isBelow = i32x4.lt_s(magnitude, i32x4.constant(bitsOf(minNormal)));
    const normal = i32x4.sub(code, i32x4.constant(fields));
    // Without subnormal numbers what lies below is zero.
    code = v128.select(isBelow, format.subnormals ? below : i32x4.constant(0), normal);
  }
  if (hasInfinity) {
    const infinite = i32x4.eq(magnitude, i32x4.constant(infinityBits));
    code = v128.select(infinite, i32x4.constant(maxFiniteCode + 1), code);
  }
  const sign = v128.and(bits === 32 ? x : i32x4.shr_u(x, 32 - bits), i32x4.constant(2 ** (bits - 1)));
  const signed = v128.or(code, sign);
  if (!hasNaN) return signed;
  return v128.select(i32x4.gt_s(magnitude, i32x4.constant(infinityBits)), i32x4.constant(nanCode), signed);
}
