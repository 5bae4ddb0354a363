import type { Format } from "../../format/format.js";
import type { CheckpointPair, TensorPair } from "./pair-up.js";
import type { SideTensor } from "./side-tensor.js";

/** A tensor before and after, in memory. */
export interface TensorInMemory {
  readonly name: string;
  readonly shape: readonly number[];
  readonly before: Float32Array;
  readonly after: Float32Array;
}

/**
 * Two checkpoints in memory, as a pair to compare.
 *
 * @param format the format of all their numbers.
 */
export function memoryPair(tensors: readonly TensorInMemory[], format: Format): CheckpointPair {
  const side = { path: "memory", kind: "checkpoint" } as const;
  return {
    before: side,
    after: side,
    tensors: tensors.map((tensor) => pairOf(tensor, format)),
    byBytes: [],
    skipped: [],
    unknown: { hidden: null, realSparsity: null },
    files: [],
    close: async () => {},
  };
}

function pairOf({ name, shape, before, after }: TensorInMemory, format: Format): TensorPair {
  const sideOf = (numbers: Float32Array): SideTensor => ({
    name,
    shape,
    elements: numbers.length,
    dtype: format.name,
    format,
    stored: null,
    read: async (start, into) => into.set(numbers.subarray(start, start + into.length)),
  });
  const part = (numbers: Float32Array, start: number, count: number) =>
    Float64Array.from(numbers.subarray(start, start + count));
  return {
    name,
    shape,
    elements: before.length,
    before: sideOf(before),
    after: sideOf(after),
    compared: format,
    blocks: null,
    tells: { hidden: false, updates: false, bound: false },
    read: async (start, count) => ({
      before: part(before, start, count),
      after: part(after, start, count),
      updated: null,
    }),
  };
}
