import type { SkippedTensor } from "./input.js";

/** Weights excluded from a result. */
export interface LeftOut {
  readonly tensors: number;
  readonly weights: number;
  /** Of all weights, counted or not. */
  readonly share: number;
  /** The tensor with most of them. */
  readonly largest: SkippedTensor;
}

/** The excluded weights relative to the counted ones; null if there are none. */
export function leftOut(skipped: readonly SkippedTensor[], counted: number): LeftOut | null {
  const tensors = skipped.filter(({ elements = 0 }) => elements > 0);
  if (tensors.length === 0) return null;
  const weights = tensors.reduce((sum, { elements = 0 }) => sum + elements, 0);
  const [largest] = tensors.toSorted((a, b) => b.elements! - a.elements!);
  return { tensors: tensors.length, weights, share: weights / (weights + counted), largest };
}
