import type { BlockFormat } from "../../format/block/block-format.js";
import { noTensorScale } from "../../format/block/scale-rule.js";
import type { Rounding } from "../../format/round.js";
import type { Lane } from "./lane.js";
import { exponentBias, exponentShift, isNonfinite } from "./numbers.js";
import { round } from "./round.js";

/**
 * Block formats with power-of-two scales: format/block/scale-rule.ts and quantize-block.ts on lanes. A scale is held as
 * its e8m0fnu code, which equals the exponent field of the fp32 number.
 */

/** The code of a NaN scale. */
const nanScale = 255;

/** A scale per lane, in every form needed. */
export interface ScaleLanes<V> {
  readonly code: V;
  readonly number: V;
  readonly reciprocal: V;
  /** The mask of NaN scales, whose reciprocal and number are infinite. */
  readonly isNaN: V;
}

/** The code of the scale that the rule derives from a block's largest magnitude; NaN or Inf if the block has one. */
export function scaleCode<V>(k: Lane<V>, largest: V, blocks: BlockFormat): V {
  const { i32x4, v128 } = k;
  // Carry into the exponent from the significand on at which the rule doubles the scale. Subnormal numbers reach an
  // exponent field of 1 at most and thus get the smallest scale.
  const carried = i32x4.add(largest, i32x4.constant(2 ** exponentShift - doublingFrom(blocks)));
  const exponent = i32x4.shr_u(carried, exponentShift);
  const code = i32x4.max_s(
    i32x4.sub(exponent, i32x4.constant(blocks.element.maxExponent)),
    i32x4.constant(0),
  );
  return v128.select(isNonfinite(k, largest), i32x4.constant(nanScale), code);
}

/**
 * The smallest m - 1, in units of 2^-23, at which the rule doubles the scale of m 2^e; 2^23 if it never does. Found by
 * bisection: a rule doubles from some m on.
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

/** A scale from its code. No rule produces code 254, whose reciprocal would be subnormal. */
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
 * Numbers divided by a scale, rounded once because the reciprocal of a power of two is exact. Infinite or NaN if the
 * scale is NaN.
 */
export function scaled<V>(k: Lane<V>, x: V, { reciprocal }: ScaleLanes<V>): V {
  return k.f32x4.mul(x, reciprocal);
}

/** Rounds the quotients of {@link scaled} to elements; +0 if the scale is NaN. */
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
