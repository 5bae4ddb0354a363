import { BlockLayout } from "../format/block/block-layout.js";
import { countOf, originOf, pieceOf, type TensorInput, type Values } from "../lens/input.js";
import type { PartRange } from "../lens/shard/part.js";
import type { PlanTensor } from "../lens/shard/plan.js";
import { blockLength } from "../lens/sum.js";
import { sharesScales } from "../update/block-settings.js";
import type { CaseSettings } from "../update/optimizer.js";
import { hasTensorScale } from "./block-chunks.js";

/**
 * What the division of a job has to know of a tensor: what is read of each element, and where a cut leaves all counts as
 * they are. A tensor that has a scale of its own, or that a recipe takes whole, is never cut: every part of it would have to read all of it.
 */
export function planTensor(tensor: TensorInput, cases: readonly CaseSettings[]): PlanTensor {
  const { shape, weights, updates, optimizer } = tensor;
  const moments = Object.values(optimizer?.moments ?? {}) as Values[];
  const bits = [weights, ...updates, ...moments].reduce((sum, values) => sum + bitsOf(values), 0);
  const shared = cases.filter(sharesScales);
  const layouts = shared.map(({ blocks }) => new BlockLayout(shape, blocks));
  return {
    elements: countOf(tensor),
    bits,
    step: shared.some(hasTensorScale) || cases.some(takesWhole) ? null : blockLength,
    ...(layouts.length > 0 && {
      isCut: (element: number) => layouts.every((layout) => layout.isCut(element)),
    }),
  };
}

/** Whether a recipe steps a tensor by more of it than each weight, as by its norm or a product of it. */
function takesWhole(settings: CaseSettings): boolean {
  return "recipe" in settings && settings.recipe.whole !== undefined;
}

/** Of numbers that are drawn or computed, those of the fp32 numbers that they become. */
function bitsOf(values: Values): number {
  return originOf(values, "stored")?.format.bits ?? 32;
}

/** The pieces of tensors in these ranges. */
export function piecesOf(tensors: readonly TensorInput[], ranges: readonly PartRange[]): TensorInput[] {
  return ranges.map(([t, start, end]) => {
    const tensor = tensors[t];
    return start === 0 && end === countOf(tensor) ? tensor : pieceOf(tensor, start, end);
  });
}
