import type { FunctionWriter, V128 } from "../assembler/function.js";

/** What kernels say of fp32 numbers by their bits. Masks have all bits of a lane set, or none. */

export const signBit = 0x8000_0000 | 0;
export const magnitudeBits = 0x7fff_ffff;
export const exponentBits = 0x7f80_0000;
export const infinityBits = 0x7f80_0000;
export const nanBits = 0x7fc0_0000;
/** Stored significand bits of fp32, below its exponent field. */
export const exponentShift = 23;
export const exponentBias = 127;

const word = new Int32Array(1);
const float = new Float32Array(word.buffer);

/** The bits of an fp32 number. */
export function bitsOf(x: number): number {
  float[0] = x;
  return word[0];
}

export function magnitude(k: FunctionWriter, x: V128): V128 {
  return k.v128.and(x, k.i32x4.constant(magnitudeBits));
}

/** NaN or Inf. */
export function isNonfinite(k: FunctionWriter, magnitudes: V128): V128 {
  return k.i32x4.gt_s(magnitudes, k.i32x4.constant(infinityBits - 1));
}

const largestBits = infinityBits - 1;

/** The twin of lens/displacement.ts. */
export function displacement(k: FunctionWriter, after: V128, before: V128): V128 {
  const { f32x4, i32x4 } = k;
  const atMost = f32x4.min(f32x4.sub(after, before), i32x4.constant(largestBits));
  return f32x4.max(atMost, i32x4.constant(largestBits | signBit));
}

/** Lanes 0 and 1 as fp64, or 2 and 3. */
export function promoteHalf(k: FunctionWriter, x: V128, half: number): V128 {
  const low =
    half === 0 ? x : k.i8x16.shuffle(x, x, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
  return k.f64x2.promote_low_f32x4(low);
}

/** A bit a lane of two masks: 8 bits. */
export function flagsOf(k: FunctionWriter, low: V128, high: V128) {
  return k.i16x8.bitmask(k.i16x8.narrow_i32x4_s(low, high));
}
