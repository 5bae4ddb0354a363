import { exponentShift, magnitude as magnitudeOf } from "../../lane/numbers.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { histogramTable as table } from "../layout.js";

/** Four updates that are to be counted by their bin, class and the ulp rule. */
export interface Sized {
  /** |update|. */
  readonly magnitude: V128;
  /** {@link sizeBits} of the update. */
  readonly size: V128;
  readonly weight: V128;
  /** The exponent field, in its place, of the binade whose gap the weight has: ulpBinade of lane/numbers.ts. */
  readonly binade: V128;
  readonly zero: V128;
  readonly moved: V128;
  /** With `moved`: neither class. */
  readonly kept: V128 | null;
}

/**
 * The bits of an fp32 magnitude as if the exponent range had no lower limit. For a subnormal number n 2^-149 these are
 * the bits of n with the exponent field reduced by 149.
 */
export function sizeBits(k: FunctionWriter, subnormal: V128): V128 {
  return k.i32x4.sub(k.f32x4.convert_i32x4_s(subnormal), k.i32x4.constant(149 * 2 ** exponentShift));
}

/**
 * Counts as bin of lens/histogram.ts and ulpRuleLost of lens/probes.ts say. The place in the table is the distance of
 * two exponent fields, that of the update and that of the binade whose gap the weight has.
 */
export function countInHistogram(
  k: FunctionWriter,
  { magnitude, size, weight, binade, zero, moved, kept }: Sized,
  at: { readonly table: I32; readonly places: I32 },
): void {
  const { f32x4, i32, i32x4, v128 } = k;
  const weightSize = magnitudeOf(k, weight);
  // 256 |u| is exact or Inf; |w| / 256 might be subnormal.
  const rule = f32x4.lt(f32x4.mul(magnitude, f32x4.constant(256)), weightSize);
  // A bin has 2^7 bytes. Shifted before they are subtracted: distances of exponents need ten bits.
  const bytes = (bits: V128) => i32x4.shr_s(bits, exponentShift - 7);
  const sizeBin = v128.and(bytes(size), i32x4.constant(-table.binBytes));
  const bin = i32x4.sub(sizeBin, bytes(binade));
  const kind = [
    [rule, table.ruleKind] as const,
    [moved, table.movedKind] as const,
    ...(kept ? [[kept, table.keptKind] as const] : []),
  ].reduce((sum, [mask, offset]) => v128.or(sum, v128.and(mask, i32x4.constant(offset))), bin);
  const place = v128.andnot(i32x4.add(kind, i32x4.constant(table.lowest * table.binBytes)), zero);
  k.store("v128", place, at.places);
  for (const lane of [0, 4, 8, 12]) {
    const counter = i32.add(at.table, k.load("i32", at.places, lane));
    k.store("i32", i32.add(k.load("i32", counter, lane), 1), counter, lane);
  }
}
