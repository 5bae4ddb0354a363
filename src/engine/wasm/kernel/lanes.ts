import type { FunctionWriter, V128 } from "../assembler/function.js";

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
