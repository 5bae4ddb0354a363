import type { FunctionWriter, I32, V128 } from "../assembler/function.js";

/** Lanes 0 and 1, or 2 and 3, as fp64. */
export function promoteHalf(k: FunctionWriter, x: V128, half: number): V128 {
  const low =
    half === 0 ? x : k.i8x16.shuffle(x, x, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
  return k.f64x2.promote_low_f32x4(low);
}

/** Two of eight fp32 numbers in memory as fp64. */
export function promoteStored(k: FunctionWriter, address: I32, offset: number, i: number): V128 {
  return k.f64x2.promote_low_f32x4(k.load("v128_64", address, offset + 8 * i));
}

/** Two vectors of four lanes as one of eight 16-bit lanes. Valid for masks and for signed numbers of 16 bits. */
export function packedLanes(k: FunctionWriter, [low, high]: readonly V128[]): V128 {
  return k.i16x8.narrow_i32x4_s(low, high);
}

/** One bit per lane of two masks: 8 bits. */
export function flagsOf(k: FunctionWriter, low: V128, high: V128) {
  return k.i16x8.bitmask(packedLanes(k, [low, high]));
}
