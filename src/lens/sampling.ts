import type { Case, TensorCounts } from "./result.js";

/** A share of the whole, estimated from a stratified sample. */
export interface Estimate {
  readonly estimate: number;
  readonly standardError: number;
  /** The interval that has it with the confidence of the sampling; within 0 and 1. */
  readonly low: number;
  readonly high: number;
}

/** What a sample tells of the whole, case by case. */
export interface Sampling {
  /** Weights of the whole. */
  readonly parameters: number;
  readonly confidence: number;
  readonly cases: readonly SampledShares[];
}

export interface SampledShares {
  /** Of the weights: unchanged at the end, and hidden. */
  readonly unchanged: Estimate;
  readonly hidden: Estimate;
  /** Of the weight-steps; the error is bounded by that of one step, since the steps of a weight are not independent. */
  readonly apparentSparsity: Estimate;
}

/** Of the normal distribution, for a confidence of 95 %. */
const z95 = 1.959964;

/**
 * Shares of the whole, from the counts of a sample of each tensor: the mean of the strata, weighted by their sizes
 * (Cochran, Sampling Techniques, 1977, sections 5.3 and 5.4).
 *
 * @param sizes elements of each tensor in the whole, in the order of the tensors of each case.
 */
export function samplingOf(cases: readonly Case[], sizes: readonly number[]): Sampling {
  return {
    parameters: sizes.reduce((sum, size) => sum + size, 0),
    confidence: 0.95,
    cases: cases.map(({ tensors }) => ({
      unchanged: estimate(tensors, sizes, ({ end, totals }) => end.unchanged / totals.elements),
      hidden: estimate(tensors, sizes, ({ end, totals }) => end.hidden / totals.elements),
      apparentSparsity: estimate(tensors, sizes, ({ totals }) => totals.apparentSparsity ?? 1),
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
    // Of a share of 0 or 1 too (Agresti and Coull): one more of either.
    const shrunk = (share * n + 1) / (n + 2);
    variance += weight ** 2 * ((shrunk * (1 - shrunk)) / n) * (1 - n / sizes[i]);
  }
  const standardError = Math.sqrt(variance);
  return {
    estimate: mean,
    standardError,
    low: Math.max(0, mean - z95 * standardError),
    high: Math.min(1, mean + z95 * standardError),
  };
}
