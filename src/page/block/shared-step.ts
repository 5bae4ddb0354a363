import type { BlockFormat } from "../../format/block/block-format.js";
import { noTensorScale } from "../../format/block/scale-rule.js";
import { decodeTable } from "../../format/encode.js";
import { classifyShared, type SharedClass } from "../../lens/classify.js";
import { type BlockSettings, schemeSettings } from "../../update/block-settings.js";
import { startBlock, stepBlock } from "../../update/block-step.js";
import type { WeightState } from "../../update/scheme.js";

/**
 * 31 Gaussian weights with standard deviation 0.03, and one eight times as large, at which the scale of the block is
 * about to double. Selected from about a dozen draws, in which 8 to 22 numbers change, as the one with the most.
 */
export const blockWeights: readonly number[] = [
  0.0465, 0.0295, -0.0506, 0.0182, -0.0222, 0.0171, -0.0469, 0.0388, -0.0097, -0.0116, 0.018, 0.248, -0.0228,
  0.0086, -0.0069, -0.0117, 0.048, -0.0039, -0.0477, 0.0103, -0.0346, -0.008, 0.0195, -0.0302, -0.0317,
  0.0319, -0.0308, -0.0142, 0.0333, -0.0144, 0.0431, 0.0478,
];

/** The index of the updated weight: the largest one, which determines the scale. */
export const largestAt = 11;

/** For formats with a tensor scale: the largest weight of the tensor, in another block. */
export const largestOfTensor = 0.5;

/** A weight of the block before and after one step. */
export interface SharedWeight {
  readonly before: number;
  readonly after: number;
  readonly becomes: SharedClass;
}

/** A block before and after an update of its largest weight only. */
export interface SharedStep {
  readonly blocks: BlockFormat;
  readonly update: number;
  /** The updated weight in fp32, before quantization. */
  readonly sum: number;
  /** The factors of the elements, including the tensor scale. */
  readonly scales: { readonly before: number; readonly after: number };
  readonly weights: readonly SharedWeight[];
  /** The numbers representable with the scale after the step, ascending. */
  readonly grid: readonly number[];
}

export interface SharedStepOptions {
  /** Including its rule: `mxfp4:floor`. */
  readonly format: string;
  readonly scheme: "master" | "in-place";
}

/** Applies one update to the largest weight of {@link blockWeights}, by the specification; other updates are zero. */
export function sharedStep(options: SharedStepOptions, update: number): SharedStep {
  const settings = settingsOf(options);
  const { blocks } = settings;
  const given = blockWeights.slice(0, blocks.columns);
  const updates = given.map((_, i) => (i === largestAt ? Math.fround(update) : 0));
  const tensorScale = blocks.rule.tensorScale?.(largestOfTensor, blocks) ?? noTensorScale;
  const before = startBlock(given, settings, tensorScale);
  const { after, quantized, codeMoves } = stepBlock(before, updates, settings, tensorScale);
  const stateOf = ({ weights, carriers }: typeof before, i: number): WeightState => ({
    weight: weights[i],
    carrier: carriers[i],
  });
  const scaleOf = ({ scale }: typeof before) => Math.fround(scale * tensorScale.stored);
  const numbers = Float64Array.from(decodeTable(blocks.element)).filter(Number.isFinite);
  return {
    blocks,
    update: updates[largestAt],
    sum: quantized[largestAt],
    scales: { before: scaleOf(before), after: scaleOf(after) },
    weights: given.map((_, i) => ({
      before: before.weights[i],
      after: after.weights[i],
      becomes: classifyShared(stateOf(before, i), updates[i], stateOf(after, i), codeMoves[i]),
    })),
    grid: [...new Set(numbers.map((x) => x * scaleOf(after) + 0))].sort((a, b) => a - b),
  };
}

function settingsOf(options: SharedStepOptions): BlockSettings {
  const settings = schemeSettings(options);
  if (!settings.blocks) throw new RangeError(`${options.format} has no shared scales`);
  return settings;
}

/** Iterations of the bisection; the final interval is far below a pixel. */
const halvings = 40;

/** The smallest update of the largest weight that makes the scale larger; the scale is monotonic in that weight. */
export function leastThatMovesScale(options: SharedStepOptions): number {
  const moves = (u: number) => {
    const { scales } = sharedStep(options, u);
    return scales.after > scales.before;
  };
  let [low, high] = [0, blockWeights[largestAt]];
  // In-place adds to the stored number, which may be a third less than the weight.
  while (!moves(high)) high *= 2;
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2;
    if (moves(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The number of other weights, whose update is zero, that changed. */
export function changedOthers({ weights }: SharedStep): number {
  return weights.filter(({ before, after }, i) => i !== largestAt && before !== after).length;
}
