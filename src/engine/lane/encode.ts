import type { Format } from "../../format/format.js";
import { gapAt } from "../../format/round.js";
import type { Lane } from "./lane.js";
import { bitsOf, exponentBias, infinityBits, magnitude as magnitudeOf } from "./numbers.js";
import type { LaneRounding } from "./round.js";

/** Whether {@link encode} supports a format: its normal numbers must be normal in fp32. */
export function isEncodable({ signed, bias }: Format): boolean {
  return signed && bias <= exponentBias;
}

/**
 * The codes of numbers of the format, as in format/encode.ts. Valid where {@link isEncodable}.
 *
 * @param nanCode the code of NaN.
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

/** Whether {@link encodeNearest} supports a rounding. */
export function isEncodedAtOnce({ format, rounding }: LaneRounding): boolean {
  const { precision, subnormals, unsignedZero } = format;
  return rounding === "nearest-even" && isEncodable(format) && precision <= 22 && subnormals && !unsignedZero;
}

/**
 * `encode(round(x))` for lanes of fp32 numbers, in half the operations. Valid where {@link isEncodedAtOnce}.
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
 * @param upper the leading bits of the fp32 magnitude that the format keeps.
 * @param magnitude the magnitude, rounded or not; below the normal range it is rounded here.
 */
function codeOf<V>(k: Lane<V>, upper: V, magnitude: V, format: Format): V {
  const { f32x4, i32x4, v128 } = k;
  const { precision, bias, minNormal } = format;
  if (bias === exponentBias) return upper;
  const fields = (exponentBias - bias) * 2 ** (precision - 1);
  // Below the normal range the code is the number in units of the gap. Adding 2^23 gaps rounds to nearest-even and
  // leaves the code in the low bits of the sum. A product that is subnormal in fp32 takes many times longer
  // (measured).
  const many = gapAt(format.minExponent - 1, format) * 2 ** 23;
  const below = i32x4.sub(f32x4.add(magnitude, f32x4.constant(many)), i32x4.constant(bitsOf(many)));
  const isBelow = i32x4.lt_s(magnitude, i32x4.constant(bitsOf(minNormal)));
  const normal = i32x4.sub(upper, i32x4.constant(fields));
  // In formats without subnormal numbers these are zero.
  return v128.select(isBelow, format.subnormals ? below : i32x4.constant(0), normal);
}

function signedOrNaN<V>(k: Lane<V>, code: V, x: V, nan: V, { bits, hasNaN }: Format, nanCode: number): V {
  const { i32x4, v128 } = k;
  const sign = v128.and(bits === 32 ? x : i32x4.shr_u(x, 32 - bits), i32x4.constant(2 ** (bits - 1)));
  const signed = v128.or(code, sign);
  return hasNaN ? v128.select(nan, i32x4.constant(nanCode), signed) : signed;
}
