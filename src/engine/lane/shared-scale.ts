import type { BlockFormat } from "../../format/block/block-format.js";
import { noTensorScale } from "../../format/block/scale-rule.js";
import type { Rounding } from "../../format/round.js";
import type { Lane } from "./lane.js";
import { exponentBias, exponentShift, isNonfinite } from "./numbers.js";
import { round } from "./round.js";

/**
 * Blocks of a format whose scales are powers of two: format/block/scale-rule.ts and quantize-block.ts on lanes. A scale is
 * held as its code of e8m0fnu, which is the exponent field of an fp32 number.
 */

/** The code of a scale that is NaN. */
const nanScale = 255;

/** A scale in every lane, in the ways it is needed. */
export interface ScaleLanes<V> {
  readonly code: V;
  readonly number: V;
  readonly reciprocal: V;
  /** All ones where it is NaN; then reciprocal and number are infinite. */
  readonly isNaN: V;
}

/** The code of the scale that the rule makes of a block's largest magnitude, NaN or Inf standing for a block that has one. */
export function scaleCode<V>(k: Lane<V>, largest: V, blocks: BlockFormat): V {
  const { i32x4, v128 } = k;
  // A carry into the exponent from that significand on which the rule doubles the scale. Subnormal numbers get to an
  // exponent field of 1 at most, and so to the smallest scale, as all below it.
  const carried = i32x4.add(largest, i32x4.constant(2 ** exponentShift - doublingFrom(blocks)));
  const exponent = i32x4.shr_u(carried, exponentShift);
  const code = i32x4.max_s(
    i32x4.sub(exponent, i32x4.constant(blocks.element.maxExponent)),
    i32x4.constant(0),
  );
  return v128.select(isNonfinite(k, largest), i32x4.constant(nanScale), code);
}

/**
 * The least m - 1, in units of 2^-23, at which the rule doubles the scale of m 2^e; 2^23 where it never does. Asked of the
 * rule, which doubles from some m on.
 */
function doublingFrom(blocks: BlockFormat): number {
  const scaleOf = (units: number) => blocks.rule.blockScale(1 + units * 2 ** -23, blocks, noTensorScale);
  let [below, from] = [0, 2 ** 23];
  while (from - below > 1) {
    const middle = (below + from) / 2;
    if (scaleOf(Math.floor(middle)) > scaleOf(0)) from = Math.floor(middle);
    else below = Math.floor(middle);
  }
  return from;
}

/** A scale by its code. No rule makes the code 254, whose reciprocal would be subnormal. */
export function scaleLanes<V>(k: Lane<V>, code: V): ScaleLanes<V> {
  const { i32x4, v128 } = k;
  const field = i32x4.shl(code, exponentShift);
  const smallest = i32x4.eq(code, i32x4.constant(0));
  return {
    code,
    // 2^-127 is subnormal.
    number: v128.select(smallest, i32x4.constant(2 ** (exponentShift - 1)), field),
    reciprocal: i32x4.sub(i32x4.constant(2 * exponentBias * 2 ** exponentShift), field),
    isNaN: i32x4.eq(code, i32x4.constant(nanScale)),
  };
}

/**
 * What numbers are divided by a scale: one rounding, for the reciprocal of a power of two is exact. Infinite or NaN where the
 * scale is NaN.
 */
export function scaled<V>(k: Lane<V>, x: V, { reciprocal }: ScaleLanes<V>): V {
  return k.f32x4.mul(x, reciprocal);
}

/** Elements by what {@link scaled} gives: +0 where the scale is NaN, as codes are. */
export function elements<V>(
  k: Lane<V>,
  quotients: V,
  scale: ScaleLanes<V>,
  { element }: BlockFormat,
  rounding: Rounding,
  random: () => V,
): V {
  const to = { format: element, rounding, overflow: "saturate" } as const;
  return k.v128.andnot(round(k, quotients, to, random), scale.isNaN);
}
