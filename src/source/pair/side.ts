import { stat } from "node:fs/promises";
import { format } from "../../format/registry.js";
import type { SkippedTensor, TensorInput } from "../../lens/input.js";
import { openCheckpoint } from "../checkpoint.js";
import { InputError } from "../input-error.js";
import { hasRecordedRun, openRecording, recordedRun } from "../recording.js";
import { type SideTensor, sideTensor } from "./side-tensor.js";

/** One side of a comparison. */
export interface Side {
  readonly path: string;
  readonly kind: "checkpoint" | "recorded run";
  /** See Safetensors.within. */
  readonly within?: string;
  /** Its weights: the path itself, or the base of a recorded run. */
  readonly weights: string;
  readonly tensors: ReadonlyMap<string, SideTensor>;
  readonly skipped: readonly SkippedTensor[];
  /** See Checkpoint. */
  readonly notes?: readonly string[];
  readonly files: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens a side. As BEFORE, a recorded run stands for its base; as AFTER, for its end: the base with all
 * updates added in fp32, in order.
 *
 * @param first only so many of its updates.
 * @throws InputError if that fails.
 */
export async function openSide(path: string, as: "before" | "after", first?: number): Promise<Side> {
  if (!(await isRecordedRun(path))) {
    if (first !== undefined) throw new InputError(path, "a recorded run, for --milestones", "a checkpoint");
    return checkpointSide(path, path, "checkpoint");
  }
  const { weights, updates } = await recordedRun(path);
  if (as === "before") return checkpointSide(path, weights, "recorded run");
  const { tensors, stepNumbers, skipped, files, close } = await openRecording({ weights, updates });
  if (first !== undefined && first > stepNumbers.length) {
    await close();
    throw new InputError(
      path,
      `a run of at least ${first} updates, for --milestones`,
      `${stepNumbers.length}`,
    );
  }
  const ends = tensors.map((tensor) => [tensor.name, endOf(tensor, first)] as const);
  return { path, kind: "recorded run", weights, tensors: new Map(ends), skipped, files, close };
}

/** @throws InputError if a folder has one of its parts twice. */
async function isRecordedRun(path: string): Promise<boolean> {
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return isFolder && (await hasRecordedRun(path));
}

async function checkpointSide(path: string, weights: string, kind: Side["kind"]): Promise<Side> {
  const { tensors, skipped, notes, files, within, close } = await openCheckpoint(weights);
  const stored = [...tensors].map(([name, tensor]) => [name, sideTensor(tensor)] as const);
  return {
    path,
    kind,
    ...(within !== undefined && { within }),
    weights,
    tensors: new Map(stored),
    skipped,
    notes,
    files: [...files.keys()],
    close,
  };
}

/** The end of a run in fp32: its weights with all updates added, rounded after each. */
function endOf({ name, shape, weights, updates: all }: TensorInput, first = all.length): SideTensor {
  const updates = all.slice(0, first);
  async function read(start: number, into: Float64Array, updated: Uint8Array | null): Promise<void> {
    await weights.read(start, into);
    for (let i = 0; i < into.length; i++) into[i] = Math.fround(into[i]);
    const update = new Float32Array(into.length);
    for (const step of updates) {
      await step.read(start, update);
      for (let i = 0; i < into.length; i++) {
        into[i] = Math.fround(into[i] + update[i]);
        if (updated && update[i] !== 0) updated[i] = 1;
      }
    }
  }
  return { name, shape, elements: weights.length, dtype: "F32", format: format("fp32"), stored: null, read };
}
