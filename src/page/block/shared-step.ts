import type { BlockFormat } from "../../format/block/block-format.js";
import { noTensorScale } from "../../format/block/scale-rule.js";
import { decodeTable } from "../../format/encode.js";
import { classifyShared, type SharedClass } from "../../lens/classify.js";
import { type BlockSettings, schemeSettings, sharesScales } from "../../update/block-settings.js";
import { startBlock, stepBlock } from "../../update/block-step.js";
import type { WeightState } from "../../update/scheme.js";

/**
 * 31 Gaussian weights of deviation 0.03, and one eight times as large, at which the scale of the block is about to double. Of some
 * dozen draws, in which 8 to 22 numbers change, the one with the most.
 */
export const blockWeights: readonly number[] = [
  0.0465, 0.0295, -0.0506, 0.0182, -0.0222, 0.0171, -0.0469, 0.0388, -0.0097, -0.0116, 0.018, 0.248, -0.0228,
  0.0086, -0.0069, -0.0117, 0.048, -0.0039, -0.0477, 0.0103, -0.0346, -0.008, 0.0195, -0.0302, -0.0317,
  0.0319, -0.0308, -0.0142, 0.0333, -0.0144, 0.0431, 0.0478,
];

/** Which of them is updated: the largest, from which the scale follows. */
export const largestAt = 11;

/** Of formats that scale the tensor too: its largest weight, which lies in another block. */
const largestOfTensor = 0.5;

/** What one step made of a weight of the block. */
export interface SharedWeight {
  readonly before: number;
  readonly after: number;
  readonly becomes: SharedClass;
}

/** A block before and after an update of its largest weight alone. */
export interface SharedStep {
  readonly blocks: BlockFormat;
  readonly update: number;
  /** Where that weight would be in fp32: what is quantized. */
  readonly sum: number;
  /** As they multiply the elements, that of the tensor in it. */
  readonly scales: { readonly before: number; readonly after: number };
  readonly weights: readonly SharedWeight[];
  /** The numbers that the scale after the step leaves to choose from, ascending. */
  readonly grid: readonly number[];
}

export interface SharedStepOptions {
  /** With its rule: `mxfp4:floor`. */
  readonly format: string;
  readonly scheme: "master" | "in-place";
}

/** One update of the largest weight of {@link blockWeights}, by the specification; all other updates are zero. */
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
  if (!sharesScales(settings)) throw new RangeError(`${options.format} has no shared scales`);
  return settings;
}

/** Updates of the search for the least that moves the scale; its last bit is far below a pixel. */
const halvings = 40;

/** The least update of the largest weight that makes the scale larger: scales do not fall as the largest weight grows. */
export function leastThatMovesScale(options: SharedStepOptions): number {
  const moves = (u: number) => {
    const { scales } = sharedStep(options, u);
    return scales.after > scales.before;
  };
  let [low, high] = [0, blockWeights[largestAt]];
  // In-place the stored number is what grows, and may be a third less than the weight.
  while (!moves(high)) high *= 2;
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2;
    if (moves(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** How many of the others, whose update is zero, have another number than before. */
export function changedOthers({ weights }: SharedStep): number {
  return weights.filter(({ before, after }, i) => i !== largestAt && before !== after).length;
}
