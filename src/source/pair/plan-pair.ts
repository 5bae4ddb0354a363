import { sampleChunk } from "../../lens/difference/delta.js";
import type { PlanTensor } from "../../lens/shard/plan.js";
import { dtypes } from "../safetensors/dtype.js";
import { bytesPerElement } from "./compare-pair.js";
import type { CheckpointPair } from "./pair-up.js";

/** A tensor of a pair as the division among shards has to know it. */
export type PlannedTensor = PlanTensor & { readonly name: string; readonly shape: readonly number[] };

/**
 * The tensors of a pair, then those that are compared by bytes. Cuts lie between chunks of the sample that is compressed, so
 * that a chunk is read where its weights are. What is quantized with shared scales, and what is no weights, is never cut.
 */
export function planPair({ tensors, byBytes }: Pick<CheckpointPair, "tensors" | "byBytes">): PlannedTensor[] {
  return [
    ...tensors.map((tensor) => ({
      name: tensor.name,
      shape: tensor.shape,
      elements: tensor.elements,
      bits: 8 * bytesPerElement(tensor),
      step: tensor.blocks === null ? sampleChunk : null,
    })),
    ...byBytes.map(({ before: { name, shape, elements, dtype } }) => ({
      name,
      shape,
      elements,
      bits: 2 * dtypes.get(dtype)!.bits,
      step: null,
    })),
  ];
}
