import { exponentShift, magnitude as magnitudeOf } from "../../lane/numbers.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { histogramTable as table } from "../layout.js";

/** Four updates that are to be counted by their bin, class and the ulp rule. */
export interface Sized {
  /** Of the update. */
  readonly magnitude: V128;
  /** {@link sizeBits} of the update. */
  readonly size: V128;
  readonly weight: V128;
  /** {@link binsOfBinade} of the binade whose gap the weight has: ulpBinade of lane/numbers.ts. */
  readonly binade: V128;
  readonly zero: V128;
  readonly moved: V128;
  /** With `moved`: of neither class. */
  readonly kept: V128 | null;
}

/**
 * The bits of an fp32 magnitude as if exponents had no lower end: of a subnormal number, whose bits count units of
 * 2^-149, those of that count, with the exponent field made smaller by 149.
 */
export function sizeBits(k: FunctionWriter, subnormal: V128): V128 {
  return k.i32x4.sub(k.f32x4.convert_i32x4_s(subnormal), k.i32x4.constant(149 * 2 ** exponentShift));
}

/** The exponent field in bytes of bins. Shifted before they are subtracted: distances of exponents need ten bits. */
export function binsOf(k: FunctionWriter, bits: V128): V128 {
  return k.v128.and(binsOfBinade(k, bits), k.i32x4.constant(-table.binBytes));
}

/** The same of bits that are an exponent field alone. */
export function binsOfBinade(k: FunctionWriter, bits: V128): V128 {
  return k.i32x4.shr_s(bits, exponentShift - Math.log2(table.binBytes));
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
  const bin = i32x4.sub(binsOf(k, size), binade);
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
