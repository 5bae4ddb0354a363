import type { BlockFormat } from "../../format/block/block-format.js";
import type { ScaleRuleName } from "../../format/block/scale-rule.js";
import type { Rounding } from "../../format/round.js";
import type { Lane } from "./lane.js";
import { bitsOf } from "./numbers.js";
import { round } from "./round.js";
import { scaleCode, scaleLanes } from "./shared-scale.js";

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
  /**
   * The function that scales numbers before they are rounded to elements; operations on scales alone are done
   * once, outside it.
   */
  scaling<V>(k: Lane<V>, scale: V, tensor: TensorScaleLanes<V>): (x: V) => V;
}

/** As TensorScale of scale-rule.ts. */
export interface TensorScaleLanes<V> {
  readonly stored: V;
  readonly reciprocal: V;
}

/** The scale of a block in the forms that a group of lanes needs. */
export interface BlockScaleLanes<V> {
  /** The factor of elements. */
  readonly step: V;
  /** The mask of NaN scales. */
  readonly isNaN: V;
  scaled(x: V): V;
}

const fl = Math.fround;
const largestFp32 = (2 - 2 ** -23) * 2 ** 127;

const powerOfTwo: LaneScaleRule = {
  powersOfTwo: true,
  tensorScale: null,
  blockScale(k, largest, blocks) {
    const scale = scaleLanes(k, scaleCode(k, largest, blocks));
    // As integers, positive numbers have the same order.
    const least = k.i32x4.constant(bitsOf(2 ** blocks.scale.minExponent));
    const number = k.i32x4.max_s(scale.number, least);
    return k.v128.or(unlessZero(k, largest, number, blocks), scale.isNaN);
  },
  // The reciprocal is exact, so the product is the quotient.
  scaling(k, scale) {
    const reciprocal = k.f32x4.div(k.f32x4.constant(1), scale);
    return (x) => k.f32x4.mul(x, reciprocal);
  },
};

const amax: LaneScaleRule = {
  powersOfTwo: false,
  tensorScale: null,
  blockScale(k, largest, blocks) {
    const scale = k.f32x4.div(largest, k.f32x4.constant(blocks.element.maxFinite));
    return unlessZero(k, largest, scale, blocks);
  },
  scaling: (k, scale) => (x) => k.f32x4.div(x, scale),
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
  scaling(k, scale, { reciprocal }) {
    const by = k.f32x4.div(reciprocal, scale);
    return (x) => k.f32x4.mul(x, by);
  },
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
  scaling(k, scale, { stored }) {
    const { f32x4 } = k;
    const reciprocal = f32x4.div(f32x4.constant(1), f32x4.mul(scale, stored));
    const by = atMostLargest(k, reciprocal);
    return (x) => f32x4.mul(x, by);
  },
};

/** As `scaleRules`; `scaleCode` handles the differences between those with power-of-two scales. */
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
  return {
    step: rule.tensorScale === null ? scale : k.f32x4.mul(scale, tensor.stored),
    isNaN: k.f32x4.ne(scale, scale),
    scaled: rule.scaling(k, scale, tensor),
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
