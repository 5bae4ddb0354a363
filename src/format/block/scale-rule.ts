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
  /** The number that all scales of a tensor are relative to; null where blocks stand alone. */
  readonly tensorScale: ((amax: number, parts: Parts) => TensorScale) | null;
  /** The scale of a block: a number of `parts.scale`. */
  blockScale(amax: number, parts: Parts, tensorScale: TensorScale): number;
  /** The number whose rounding to the format of the elements is the element of x. */
  scaled(x: number, blockScale: number, tensorScale: TensorScale): number;
}

/** What scales of blocks are multiplied by, and its reciprocal, of which a rule computes one from the other. */
export interface TensorScale {
  readonly stored: number;
  readonly reciprocal: number;
}

/** Of tensors whose blocks stand alone. */
export const noTensorScale: TensorScale = { stored: 1, reciprocal: 1 };

/** The formats of the elements and of the scales of blocks. */
export interface Parts {
  readonly element: Format;
  readonly scale: Format;
}

const fl = Math.fround;
const largestFp32 = (2 - 2 ** -23) * 2 ** 127;

/**
 * A scale that is a power of two: 2^(e - emax), e and emax being the exponents of the largest magnitude of the block and
 * of the element format, or twice that where `doubles` says so of the significand m of the largest magnitude, in
 * [1, 2), which else is clipped. A block of zeros has the smallest scale, one that is not finite the scale NaN.
 *
 * @param doubles compares m with mu, the significand of the largest element, or with what the element's precision says.
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

/** In formats that have a zero, a block of zeros has a scale of 1, by which it can be divided. */
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

/** The smallest scale of a block that torchao gives: the smallest normal number of e4m3fn. */
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

/** A tensor's scale by the number that is stored. */
export function tensorScaleOf(stored: number): TensorScale {
  return { stored, reciprocal: fl(1 / stored) };
}

/** 2688 for e2m1fn elements and e4m3fn scales. */
function largestProduct({ element, scale }: Parts): number {
  return element.maxFinite * scale.maxFinite;
}

/** NaN stays. */
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
