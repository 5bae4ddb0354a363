import type { Format } from "../../format/format.js";
import type { Lane } from "./lane.js";
import { infinityBits, magnitude as magnitudeOf } from "./numbers.js";

/** Whether {@link encode} takes a format: no number of it leaves fp32 when its exponent is written with fp32's bias. */
export function isEncodable({ signed, maxExponent, bias }: Format): boolean {
  return signed && maxExponent + bias <= 254;
}

/**
 * The codes of numbers of the format, as encode of format/encode.ts gives them. Valid for formats that {@link isEncodable}
 * takes.
 *
 * @param nanCode of what is NaN.
 */
export function encode<V>(k: Lane<V>, x: V, format: Format, nanCode: number): V {
  const { f32x4, i32x4, v128 } = k;
  const { bits, precision, bias, hasInfinity, hasNaN, maxFiniteCode } = format;
  const magnitude = magnitudeOf(k, x);
  // The exponent field of fp32 becomes that of the format, and what is subnormal there is subnormal here.
  const scaled = bias === 127 ? magnitude : f32x4.mul(magnitude, f32x4.constant(2 ** (bias - 127)));
  let code = precision === 24 ? scaled : i32x4.shr_u(scaled, 24 - precision);
  if (hasInfinity) {
    const infinite = i32x4.eq(magnitude, i32x4.constant(infinityBits));
    code = v128.select(infinite, i32x4.constant(maxFiniteCode + 1), code);
  }
  const sign = v128.and(bits === 32 ? x : i32x4.shr_u(x, 32 - bits), i32x4.constant(2 ** (bits - 1)));
  const signed = v128.or(code, sign);
  if (!hasNaN) return signed;
  return v128.select(i32x4.gt_s(magnitude, i32x4.constant(infinityBits)), i32x4.constant(nanCode), signed);
}
