import type { Case, TensorCounts } from "../run/case.js";

/** A number of the whole, estimated from a stratified sample. */
export interface Estimate {
  readonly estimate: number;
  readonly standardError: number;
  /** The interval that has it with the confidence of the sampling; that of a share is within 0 and 1. */
  readonly low: number;
  readonly high: number;
}

/** Numbers of the end that are ratios of sums; null where there are too few tensors to tell, or no sums. */
const endRatios = {
  retained: { of: "retainedProduct", by: "displacementSquared", root: false },
  visible: { of: "product", by: "displacementSquared", root: false },
  noise: { of: "noiseSquared", by: "displacementSquared", root: true },
  noiseToWeight: { of: "noiseSquared", by: "weightSquared", root: true },
} as const;
export type EndRatio = keyof typeof endRatios;

/** Estimates for the whole from a sample, case by case. */
export interface Sampling {
  /** Weights of the whole. */
  readonly parameters: number;
  readonly confidence: number;
  readonly cases: readonly SampledShares[];
}

export interface SampledShares extends Partial<Readonly<Record<EndRatio, Estimate | null>>> {
  /** Of the weights: unchanged at the end, and hidden. */
  readonly unchanged: Estimate;
  readonly hidden: Estimate;
  /** Of the weight-steps; the error is bounded by that of one step, since the steps of a weight are not independent. */
  readonly apparentSparsity: Estimate;
  // Results that were saved before there were estimates of the ratios have none.
}

/** Of the normal distribution, for a confidence of 95 %. */
const z95 = 1.959964;

/** Half of the interval of a share of n that were drawn, 95 %; of 0 and 1 too (Agresti and Coull: one more of either). */
export function shareHalfWidth(share: number, n: number): number {
  return z95 * Math.sqrt(varianceOf(share, n));
}

function varianceOf(share: number, n: number): number {
  const shrunk = (share * n + 1) / (n + 2);
  return (shrunk * (1 - shrunk)) / n;
}

/**
 * Shares of the whole, from the counts of a sample of each tensor: the mean of the strata, weighted by their sizes
 * (Cochran, Sampling Techniques, 1977, sections 5.3 and 5.4), and ratios of sums; see {@link ratioOf}.
 *
 * @param sizes elements of each tensor in the whole, in the order of the tensors of each case.
 */
export function samplingOf(cases: readonly Pick<Case, "tensors">[], sizes: readonly number[]): Sampling {
  return {
    parameters: sizes.reduce((sum, size) => sum + size, 0),
    confidence: 0.95,
    cases: cases.map(({ tensors }) => ({
      unchanged: estimate(tensors, sizes, ({ end, totals }) => end.unchanged / totals.elements),
      hidden: estimate(tensors, sizes, ({ end, totals }) => end.hidden / totals.elements),
      apparentSparsity: estimate(tensors, sizes, ({ totals }) => totals.apparentSparsity ?? 1),
      retained: ratioOf(tensors, sizes, "retained"),
      visible: ratioOf(tensors, sizes, "visible"),
      noise: ratioOf(tensors, sizes, "noise"),
      noiseToWeight: ratioOf(tensors, sizes, "noiseToWeight"),
    })),
  };
}

function estimate(
  tensors: readonly TensorCounts[],
  sizes: readonly number[],
  shareOf: (tensor: TensorCounts) => number,
): Estimate {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let mean = 0;
  let variance = 0;
  for (const [i, tensor] of tensors.entries()) {
    const n = tensor.totals.elements;
    const weight = sizes[i] / total;
    const share = shareOf(tensor);
    mean += weight * share;
    variance += weight ** 2 * varianceOf(share, n) * (1 - n / sizes[i]);
  }
  const standardError = Math.sqrt(variance);
  return {
    estimate: mean,
    standardError,
    low: Math.max(0, mean - z95 * standardError),
    high: Math.min(1, mean + z95 * standardError),
  };
}

/** The minimum number of tensors for estimating their scatter. */
const fewestTensors = 4;

/**
 * A ratio of two sums over the whole, each the sum of its strata in proportion (Cochran, section 6.11). Its error is that of
 * the jackknife, one tensor left out at a time: within a tensor the sums are all that a result carries. Differences between
 * tensors count as error too, so the interval is rather too wide. Null where the weight lies on less than four tensors, as
 * (sum x)^2 / sum x^2 counts them, x being the terms of the denominator.
 */
function ratioOf(
  tensors: readonly TensorCounts[],
  sizes: readonly number[],
  name: EndRatio,
): Estimate | null {
  const { of: numerator, by, root } = endRatios[name];
  const terms: { x: number; y: number; left: number }[] = [];
  for (const [i, { totals, end }] of tensors.entries()) {
    const [y, x] = [end.sums[numerator], end.sums[by]];
    if (x === null || y === null) return null;
    const scale = sizes[i] / totals.elements;
    const left = 1 - totals.elements / sizes[i];
    if (total(x) > 0) terms.push({ x: scale * total(x), y: scale * total(y), left });
  }
  const [X, Y] = [total(terms.map(({ x }) => x)), total(terms.map(({ y }) => y))];
  const effective = X ** 2 / total(terms.map(({ x }) => x ** 2));
  if (!(effective >= fewestTensors)) return null;
  const ratio = Y / X;
  const squares = terms.map(({ x, y, left }) => left * ((y - ratio * x) / (X - x)) ** 2);
  const standardError = Math.sqrt((1 - 1 / terms.length) * total(squares));
  const half = studentQuantile(effective - 1) * standardError;
  if (!root) return { estimate: ratio, standardError, low: ratio - half, high: ratio + half };
  const estimate = Math.sqrt(ratio);
  return {
    estimate,
    standardError: estimate === 0 ? 0 : standardError / (2 * estimate),
    low: Math.sqrt(Math.max(0, ratio - half)),
    high: Math.sqrt(ratio + half),
  };
}

/** Of Student's t, 95 %, by its expansion in 1/df (Abramowitz and Stegun 26.7.5); to 1 % from 3 on. */
function studentQuantile(df: number): number {
  const z = z95;
  const [z3, z5, z7] = [z ** 3, z ** 5, z ** 7];
  return (
    z +
    (z3 + z) / (4 * df) +
    (5 * z5 + 16 * z3 + 3 * z) / (96 * df ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * df ** 3)
  );
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, x) => sum + x, 0);
}
