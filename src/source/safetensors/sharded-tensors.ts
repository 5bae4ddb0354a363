import { InputError, quote } from "../input-error.js";
import { joinedTensor, type StoredPart } from "../joined-tensor.js";
import type { Safetensors, StoredTensor } from "./stored-tensor.js";

/** Safetensors files with the parts of one rank (torch's HuggingFaceStorageWriter before consolidation). */
export const rankShard = /^shard-\d+-model-\d+-of-\d+\.safetensors$/;

/** The metadata key for the offsets of a file's tensors in those of the model. */
const shardingInfo = "DCP_SHARDING_INFO";

/**
 * Joins the tensors of a model from files with parts of them.
 *
 * @param folder the folder of the files, for messages.
 * @throws InputError if a file lacks the offsets of its parts, or if parts do not fit together.
 */
export function joinShards(files: ReadonlyMap<string, Safetensors>, folder: string): Safetensors {
  const parts = new Map<string, StoredPart[]>();
  for (const [file, { tensors, metadata }] of files) {
    const offsetsOf = savedOffsets(metadata.get(shardingInfo), file);
    for (const [name, stored] of tensors) {
      const { shape } = stored;
      const offsets = offsetsOf.get(name) ?? shape.map(() => 0);
      if (offsets.length !== shape.length) {
        throw new InputError(file, `offsets of ${quote(name)} in ${shape.length} dimensions`, `[${offsets}]`);
      }
      parts.set(name, [...(parts.get(name) ?? []), { offsets, sizes: shape, stored }]);
    }
  }
  const joined = [...parts].map(([name, ofTensor]): [string, StoredTensor] => {
    const ends = ofTensor.map(({ offsets, sizes }) => offsets.map((offset, d) => offset + sizes[d]));
    const shape = ends[0].map((_, d) => Math.max(...ends.map((end) => end[d])));
    return [name, joinedTensor(name, shape, ofTensor, folder)];
  });
  return { tensors: new Map(joined), metadata: new Map() };
}

function savedOffsets(info: string | undefined, file: string): Map<string, readonly number[]> {
  const found = new Map<string, readonly number[]>();
  const wrong = () =>
    new InputError(
      file,
      `${shardingInfo} with the offsets of its parts`,
      info === undefined ? "none" : "something else",
    );
  if (info === undefined) throw wrong();
  let parsed: unknown;
  try {
    parsed = JSON.parse(info);
  } catch {
    throw wrong();
  }
  for (const [name, entry] of Object.entries((parsed ?? {}) as Record<string, unknown>)) {
    const offsets = (entry as { saved_offsets?: unknown } | null)?.saved_offsets;
    if (!Array.isArray(offsets) || !offsets.every((offset) => Number.isSafeInteger(offset) && offset >= 0))
      throw wrong();
    found.set(name, offsets);
  }
  return found;
}
