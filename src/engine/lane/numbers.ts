import type { Format } from "../../format/format.js";
import type { Lane } from "./lane.js";

/** Predicates and measures of fp32 numbers by their bits. */

export const signBit = 0x8000_0000 | 0;
export const magnitudeBits = 0x7fff_ffff;
export const exponentBits = 0x7f80_0000;
export const infinityBits = 0x7f80_0000;
export const nanBits = 0x7fc0_0000;
/** The stored significand bits of fp32; the exponent field starts above them. */
export const exponentShift = 23;
export const exponentBias = 127;

const word = new Int32Array(1);
const float = new Float32Array(word.buffer);

/** The bits of an fp32 number. */
export function bitsOf(x: number): number {
  float[0] = x;
  return word[0];
}

export function magnitude<V>(k: Lane<V>, x: V): V {
  return k.v128.and(x, k.i32x4.constant(magnitudeBits));
}

/** NaN or Inf. */
export function isNonfinite<V>(k: Lane<V>, magnitudes: V): V {
  return k.i32x4.gt_s(magnitudes, k.i32x4.constant(infinityBits - 1));
}

const largestBits = infinityBits - 1;

/** The displacement of lens/displacement.ts. */
export function displacement<V>(k: Lane<V>, after: V, before: V): V {
  const { f32x4, i32x4 } = k;
  const atMost = f32x4.pmin(f32x4.sub(after, before), i32x4.constant(largestBits));
  return f32x4.pmax(atMost, i32x4.constant(largestBits | signBit));
}

/** The exponent field, in place, of the binade that has a finite weight's ulp: ulpExponent + precision - 1. */
export function ulpBinade<V>(k: Lane<V>, weight: V, format: Format): V {
  const { i32x4, v128 } = k;
  const binade = v128.and(weight, i32x4.constant(exponentBits));
  const minNormal = bitsOf(format.minNormal);
  if (format.subnormals) return i32x4.max_s(binade, i32x4.constant(minNormal));
  // Without subnormal numbers the gap below the smallest normal number is that number itself.
  const gapBinade = (Math.log2(format.minNormal) + format.precision - 1 + exponentBias) * 2 ** exponentShift;
  return v128.select(i32x4.lt_s(binade, i32x4.constant(minNormal)), i32x4.constant(gapBinade), binade);
}
