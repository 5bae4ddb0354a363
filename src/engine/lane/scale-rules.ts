import type { BlockFormat } from "../../format/block/block-format.js";
import { noTensorScale, type ScaleRuleName } from "../../format/block/scale-rule.js";
import type { Rounding } from "../../format/round.js";
import type { Lane } from "./lane.js";
import { bitsOf, exponentShift, isNonfinite } from "./numbers.js";
import { round } from "./round.js";

/**
 * The rules of format/block/scale-rule.ts on lanes, operation by operation. There, fp64 operations are each
 * rounded to fp32 at once; fp32 operations give the same bits:
 * - a product of two fp32 numbers is exact in fp64, so both round it once;
 * - a quotient is rounded twice there, which matters only if the fp64 quotient is a midpoint of fp32 numbers and
 *   the exact one is not. A midpoint m has at most 25 bits, so m s has at most 49; x and m s are multiples of the
 *   smaller of their last places. If they differ, it is by at least 2^-49 of either, while fp64 rounds by at most
 *   2^-53. This holds for subnormal quotients too, whose midpoints have fewer bits.
 */
export interface LaneScaleRule {
  /** Whether all block scales are powers of two and tensors have none: then all gaps are powers of two. */
  readonly powersOfTwo: boolean;
  /** From the tensor's largest magnitude; null for rules without a tensor scale. */
  readonly tensorScale: (<V>(k: Lane<V>, largest: V, blocks: BlockFormat) => TensorScaleLanes<V>) | null;
  /** From the largest magnitude of a block; NaN or Inf if the block has one. A NaN may have any bits. */
  blockScale<V>(k: Lane<V>, largest: V, blocks: BlockFormat, tensor: TensorScaleLanes<V>): V;
  /** The factor for {@link scaled}, computed once per block. NaN if the block's scale is NaN. */
  factor<V>(k: Lane<V>, scale: V, tensor: TensorScaleLanes<V>): V;
  /** Scales a number by the factor, before it is rounded to elements. */
  scaled<V>(k: Lane<V>, x: V, factor: V): V;
}

/** As TensorScale of scale-rule.ts. */
export interface TensorScaleLanes<V> {
  readonly stored: V;
  readonly reciprocal: V;
}

/** The scale of a block in the forms that a group of lanes needs. */
export interface BlockScaleLanes<V> {
  /** As {@link LaneScaleRule.factor} gives it. */
  readonly factor: V;
  /** What elements are multiplied by. */
  readonly step: V;
  /** The mask of NaN scales. */
  readonly isNaN: V;
  scaled(x: V): V;
}

const fl = Math.fround;
const largestFp32 = (2 - 2 ** -23) * 2 ** 127;

const times: Pick<LaneScaleRule, "scaled"> = { scaled: (k, x, factor) => k.f32x4.mul(x, factor) };

const powerOfTwo: LaneScaleRule = {
  powersOfTwo: true,
  tensorScale: null,
  blockScale(k, largest, blocks) {
    const { i32x4, v128 } = k;
    const field = exponentField(k, largest, blocks);
    // 2^-127 is subnormal.
    const smallest = i32x4.eq(field, i32x4.constant(0));
    const power = v128.select(
      smallest,
      i32x4.constant(2 ** (exponentShift - 1)),
      i32x4.shl(field, exponentShift),
    );
    // As integers, positive numbers have the same order.
    const number = i32x4.max_s(power, i32x4.constant(bitsOf(2 ** blocks.scale.minExponent)));
    return v128.or(unlessZero(k, largest, number, blocks), isNonfinite(k, largest));
  },
  // The reciprocal is exact, so the product is the quotient.
  factor: (k, scale) => k.f32x4.div(k.f32x4.constant(1), scale),
  ...times,
};

/**
 * The exponent field of the scale that a rule of powers of two makes of a block's largest magnitude. Not above 253, so
 * that reciprocals are normal numbers; of NaN and Inf it is any.
 */
function exponentField<V>(k: Lane<V>, largest: V, blocks: BlockFormat): V {
  const { i32x4 } = k;
  // Carry into the exponent from the significand on at which the rule doubles the scale. Subnormal numbers reach an
  // exponent field of 1 at most and thus get the smallest scale.
  const carried = i32x4.add(largest, i32x4.constant(2 ** exponentShift - doublingFrom(blocks)));
  const exponent = i32x4.shr_u(carried, exponentShift);
  return i32x4.max_s(i32x4.sub(exponent, i32x4.constant(blocks.element.maxExponent)), i32x4.constant(0));
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

const amax: LaneScaleRule = {
  powersOfTwo: false,
  tensorScale: null,
  blockScale(k, largest, blocks) {
    const scale = k.f32x4.div(largest, k.f32x4.constant(blocks.element.maxFinite));
    return unlessZero(k, largest, scale, blocks);
  },
  factor: (_, scale) => scale,
  scaled: (k, x, scale) => k.f32x4.div(x, scale),
};

const torchao: LaneScaleRule = {
  powersOfTwo: false,
  tensorScale(k, largest, blocks) {
    const { f32x4 } = k;
    const stored = oneIfZero(k, largest, f32x4.div(largest, f32x4.constant(largestProduct(blocks))));
    return { stored, reciprocal: f32x4.div(f32x4.constant(1), stored) };
  },
  blockScale(k, largest, blocks, { stored }) {
    const { f32x4 } = k;
    const relative = f32x4.div(f32x4.div(largest, f32x4.constant(blocks.element.maxFinite)), stored);
    // torchao's smallest scale, the smallest normal number of e4m3fn.
    const least = f32x4.constant(2 ** -6);
    return toScale(k, k.v128.select(f32x4.gt(least, relative), least, relative), blocks);
  },
  factor: (k, scale, { reciprocal }) => k.f32x4.div(reciprocal, scale),
  ...times,
};

const transformerEngine: LaneScaleRule = {
  powersOfTwo: false,
  tensorScale(k, largest, blocks) {
    const { f32x4 } = k;
    const quotient = f32x4.div(f32x4.constant(largestProduct(blocks)), largest);
    const reciprocal = oneIfZero(k, largest, atMostLargest(k, quotient));
    return { stored: f32x4.div(f32x4.constant(1), reciprocal), reciprocal };
  },
  blockScale(k, largest, blocks, { reciprocal }) {
    const { f32x4 } = k;
    const by = f32x4.mul(reciprocal, f32x4.constant(fl(1 / blocks.element.maxFinite)));
    return toScale(k, f32x4.mul(largest, by), blocks);
  },
  factor: (k, scale, { stored }) =>
    atMostLargest(k, k.f32x4.div(k.f32x4.constant(1), k.f32x4.mul(scale, stored))),
  ...times,
};

/** As `scaleRules`; {@link doublingFrom} handles the differences between those with power-of-two scales. */
const rules: Readonly<Record<ScaleRuleName, LaneScaleRule>> = {
  floor: powerOfTwo,
  ceil: powerOfTwo,
  rceil: powerOfTwo,
  even: powerOfTwo,
  "compressed-tensors": powerOfTwo,
  amax,
  "power-of-two": powerOfTwo,
  torchao,
  "transformer-engine": transformerEngine,
};

export function laneRule({ rule }: BlockFormat): LaneScaleRule {
  return rules[rule.name as ScaleRuleName];
}

/** The tensor scale from the tensor's largest magnitude, in every lane; 1 for formats without one. */
export function tensorScale<V>(k: Lane<V>, largest: () => V, blocks: BlockFormat): TensorScaleLanes<V> {
  const one = k.f32x4.constant(1);
  return laneRule(blocks).tensorScale?.(k, largest(), blocks) ?? { stored: one, reciprocal: one };
}

/** The scales of blocks from their largest magnitudes. All NaNs get the same bits. */
export function blockScale<V>(k: Lane<V>, largest: V, blocks: BlockFormat, tensor: TensorScaleLanes<V>): V {
  const scale = laneRule(blocks).blockScale(k, largest, blocks, tensor);
  return k.v128.or(scale, k.f32x4.ne(scale, scale));
}

export function blockScaleLanes<V>(
  k: Lane<V>,
  scale: V,
  blocks: BlockFormat,
  tensor: TensorScaleLanes<V>,
): BlockScaleLanes<V> {
  const rule = laneRule(blocks);
  const factor = rule.factor(k, scale, tensor);
  return {
    factor,
    step: rule.tensorScale === null ? scale : k.f32x4.mul(scale, tensor.stored),
    isNaN: k.f32x4.ne(scale, scale),
    scaled: (x) => rule.scaled(k, x, factor),
  };
}

/**
 * Rounds the quotients of `scaled` to elements, as fp32 numbers; +0 if the scale is NaN, and for NaN if the format
 * has none.
 */
export function elementsOf<V>(
  k: Lane<V>,
  quotients: V,
  by: Pick<BlockScaleLanes<V>, "isNaN">,
  { element }: BlockFormat,
  rounding: Rounding,
  random: () => V,
): V {
  const rounded = round(k, quotients, { format: element, rounding, overflow: "saturate" }, random);
  // A quotient by NaN is NaN.
  return k.v128.andnot(rounded, element.hasNaN ? by.isNaN : k.f32x4.ne(quotients, quotients));
}

/** The scale, or that of zeroScale in scale-rule.ts for a block of zeros. */
function unlessZero<V>(k: Lane<V>, largest: V, scale: V, { scale: to }: BlockFormat): V {
  const ofZeros = k.f32x4.constant(to.signed ? 1 : to.minPositive);
  return k.v128.select(k.i32x4.eq(largest, k.i32x4.constant(0)), ofZeros, scale);
}

function oneIfZero<V>(k: Lane<V>, largest: V, x: V): V {
  return k.v128.select(k.i32x4.eq(largest, k.i32x4.constant(0)), k.f32x4.constant(1), x);
}

/** Keeps NaN. */
function atMostLargest<V>(k: Lane<V>, x: V): V {
  const most = k.f32x4.constant(largestFp32);
  return k.v128.select(k.f32x4.gt(x, most), most, x);
}

function toScale<V>(k: Lane<V>, relative: V, { scale }: BlockFormat): V {
  const to = { format: scale, rounding: "nearest-even", overflow: "saturate" } as const;
  return round(k, relative, to, () => k.i32x4.constant(0));
}

function largestProduct({ element, scale }: BlockFormat): number {
  return element.maxFinite * scale.maxFinite;
}
