import { sampleChunk } from "../../lens/difference/delta.js";
import type { PlanTensor } from "../../lens/shard/plan.js";
import { dtypes } from "../safetensors/dtype.js";
import { bytesPerElement } from "./compare-pair.js";
import type { CheckpointPair } from "./pair-up.js";

/** The properties of a pair's tensor needed to divide it among shards. */
export type PlannedTensor = PlanTensor & { readonly name: string; readonly shape: readonly number[] };

/**
 * The tensors of a pair, then those compared by bytes. Cuts are between chunks of the compressed sample, so that the
 * shard with a chunk's weights reads the chunk. Tensors in block formats, and those compared by bytes, are never cut.
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
