import { exponentOf, powerOfTwo } from "../float64.js";
import type { Format } from "../format.js";
import { round } from "../round.js";

/**
 * How the scale of a block follows from the largest magnitude in it, and how a number becomes an element. Numbers are
 * fp32 and so is the arithmetic: every operation whose result is no exact fp32 number is rounded to nearest-even.
 *
 * Magnitudes may be NaN, which stands for a block or tensor that has one, or infinite.
 */
export interface ScaleRule {
  readonly name: string;
  /** The number that all block scales of a tensor are relative to; null without a tensor scale. */
  readonly tensorScale: ((amax: number, parts: Parts) => TensorScale) | null;
  /** The scale of a block: a number of `parts.scale`. */
  blockScale(amax: number, parts: Parts, tensorScale: TensorScale): number;
  /** The number that is rounded to the element format. */
  scaled(x: number, blockScale: number, tensorScale: TensorScale): number;
}

/** The factor of block scales, and its reciprocal; a rule computes one from the other. */
export interface TensorScale {
  readonly stored: number;
  readonly reciprocal: number;
}

/** For tensors without a tensor scale. */
export const noTensorScale: TensorScale = { stored: 1, reciprocal: 1 };

/** The formats of elements and block scales. */
export interface Parts {
  readonly element: Format;
  readonly scale: Format;
}

const fl = Math.fround;
const largestFp32 = (2 - 2 ** -23) * 2 ** 127;

/**
 * A scale that is a power of two: 2^(e - emax), where e and emax are the exponents of the largest magnitudes
 * of the block and of the element format; doubled if `doubles` is true for the significand m of the largest
 * magnitude, in [1, 2). Without doubling, a larger m is clipped. A block of zeros has the smallest scale, a
 * non-finite block the scale NaN.
 *
 * @param doubles compares m with mu, the significand of the largest element, or with a bound from the
 * element's precision.
 */
function powerOfTwoRule(
  name: string,
  doubles: (m: number, mu: number, element: Format) => boolean,
): ScaleRule {
  return {
    name,
    tensorScale: null,
    blockScale(amax, { element, scale }) {
      if (!Number.isFinite(amax)) return NaN;
      if (amax === 0) return zeroScale(scale);
      const e = exponentOf(amax);
      const [m, mu] = [amax, element.maxFinite].map((x) => x / powerOfTwo(exponentOf(x)));
      const exponent = e - element.maxExponent + (doubles(m, mu, element) ? 1 : 0);
      return powerOfTwo(Math.min(Math.max(exponent, scale.minExponent), scale.maxExponent));
    },
    scaled: (x, blockScale) => fl(x / blockScale),
  };
}

/** In scale formats that have a zero, a block of zeros has a scale of 1, to avoid dividing by zero. */
function zeroScale(scale: Format): number {
  return scale.signed ? 1 : scale.minPositive;
}

/** OCP Microscaling Formats 1.0, section 6.3; torchao's default, microxcaling. Magnitudes with m > mu are clipped. */
const floor = powerOfTwoRule("floor", () => false);
/** torchao. */
const ceil = powerOfTwoRule("ceil", (m) => m > 1);
/** cuBLAS, TransformerEngine's MXFP8, Triton: the smallest scale that clips nothing. */
const rceil = powerOfTwoRule("rceil", (m, mu) => m > mu);
/** torchao, Quark: the largest magnitude is first rounded to the precision of the elements. */
const even = powerOfTwoRule("even", (m, _, { precision }) => m >= 2 - 2 ** -precision);
/** compressed-tensors: as `even` for elements of two significand bits, whatever the elements. */
const compressedTensors = powerOfTwoRule("compressed-tensors", (m) => m >= 1.75);

/** DeepSeek-V3, verl, SGLang: the largest magnitude becomes the largest element. */
const amax: ScaleRule = {
  name: "amax",
  tensorScale: null,
  blockScale: (amax, { element, scale }) => (amax === 0 ? zeroScale(scale) : fl(amax / element.maxFinite)),
  scaled: (x, blockScale) => fl(x / blockScale),
};

/** The smallest power of two that is at least the scale of {@link amax}. */
const powerOfTwoAmax: ScaleRule = { ...rceil, name: "power-of-two" };

/** torchao's smallest block scale: the smallest normal number of e4m3fn. */
const smallestNvfp4 = 2 ** -6;

/** NVFP4 as torchao quantizes it (torchao/prototype/mx_formats/nvfp4_tensor.py). */
const torchao: ScaleRule = {
  name: "torchao",
  tensorScale: (amax, parts) => tensorScaleOf(amax === 0 ? 1 : fl(amax / largestProduct(parts))),
  blockScale(amax, { element, scale }, { stored }) {
    const relative = fl(fl(amax / element.maxFinite) / stored);
    return round(clamp(relative, smallestNvfp4, scale.maxFinite), scale);
  },
  scaled: (x, blockScale, { reciprocal }) => fl(x * fl(reciprocal / blockScale)),
};

/** NVFP4 as TransformerEngine quantizes it (tests/pytorch/nvfp4/nvfp4_reference.py). */
const transformerEngine: ScaleRule = {
  name: "transformer-engine",
  tensorScale(amax, parts) {
    const reciprocal = amax === 0 ? 1 : atMostLargest(fl(largestProduct(parts) / amax));
    return { reciprocal, stored: fl(1 / reciprocal) };
  },
  blockScale(amax, { element, scale }, { reciprocal }) {
    const relative = fl(amax * fl(reciprocal * fl(1 / element.maxFinite)));
    return round(relative, scale, { overflow: "saturate" });
  },
  scaled: (x, blockScale, { stored }) => fl(x * atMostLargest(fl(1 / fl(blockScale * stored)))),
};

/** The tensor scale from its stored number. */
export function tensorScaleOf(stored: number): TensorScale {
  return { stored, reciprocal: fl(1 / stored) };
}

/** 2688 for e2m1fn elements and e4m3fn scales. */
function largestProduct({ element, scale }: Parts): number {
  return element.maxFinite * scale.maxFinite;
}

/** Preserves NaN. */
function clamp(x: number, least: number, most: number): number {
  return Math.min(Math.max(x, least), most);
}

function atMostLargest(x: number): number {
  return Math.min(x, largestFp32);
}

export const scaleRules = {
  floor,
  ceil,
  rceil,
  even,
  "compressed-tensors": compressedTensors,
  amax,
  "power-of-two": powerOfTwoAmax,
  torchao,
  "transformer-engine": transformerEngine,
} as const satisfies Readonly<Record<string, ScaleRule>>;

export type ScaleRuleName = keyof typeof scaleRules;
