import { BlockLayout } from "../format/block/block-layout.js";
import { countOf, originOf, pieceOf, type TensorInput, type Values } from "../lens/input.js";
import type { PartRange } from "../lens/shard/part.js";
import type { PlanTensor } from "../lens/shard/plan.js";
import { blockLength } from "../lens/sum.js";
import type { CaseSettings } from "../update/optimizer.js";
import { hasTensorScale } from "./block-chunks.js";

/**
 * The properties of a tensor needed to divide a job: the bits read per element, and where a cut changes no counts. A
 * tensor with a tensor scale, or one that a recipe needs whole, is never cut: each part would have to read all of it.
 */
export function planTensor(tensor: TensorInput, cases: readonly CaseSettings[]): PlanTensor {
  const { shape, weights, updates, optimizer } = tensor;
  const moments = Object.values(optimizer?.moments ?? {}) as Values[];
  const bits = [weights, ...updates, ...moments].reduce((sum, values) => sum + bitsOf(values), 0);
  const shared = cases.filter((settings) => settings.blocks !== undefined);
  const layouts = shared.map(({ blocks }) => new BlockLayout(shape, blocks));
  return {
    elements: countOf(tensor),
    bits,
    step: shared.some(hasTensorScale) || cases.some(({ recipe }) => recipe?.whole) ? null : blockLength,
    ...(layouts.length > 0 && {
      isCut: (element: number) => layouts.every((layout) => layout.isCut(element)),
    }),
  };
}

/** The bits per stored number; 32 for numbers that are drawn or computed. */
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
