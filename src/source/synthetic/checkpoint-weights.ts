import { format } from "../../format/registry.js";
import type { SkippedTensor, Values } from "../../lens/input.js";
import { type Checkpoint, openCheckpoint } from "../checkpoint.js";
import { InputError } from "../input-error.js";
import type { StoredTensor } from "../safetensors/stored-tensor.js";
import { stratify } from "./sample.js";
import type { GivenTensor } from "./synthetic-run.js";

/** The weights of a checkpoint, or of a sample of it, for a synthetic run. */
export interface CheckpointWeights {
  readonly tensors: readonly GivenTensor[];
  readonly skipped: readonly SkippedTensor[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Every file that was opened. */
  readonly files: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens the weights of a checkpoint. A sample takes every k-th weight of each tensor and is held in memory.
 *
 * @throws InputError if the checkpoint is not valid, or has more tensors than weights asked for.
 */
export async function openCheckpointWeights(
  path: string,
  elements: number | null,
): Promise<CheckpointWeights> {
  const checkpoint = await openCheckpoint(path);
  try {
    const skipped = [...checkpoint.skipped];
    const usable: StoredTensor[] = [];
    for (const tensor of checkpoint.tensors.values()) {
      const reason = obstacle(tensor);
      if (reason !== null) skipped.push({ name: tensor.name, reason });
      else usable.push(tensor);
    }
    if (usable.length === 0) throw new InputError(path, "tensors that can be weights", "none");
    const tensors = await sampled(path, usable, elements);
    const files = [...checkpoint.files.keys()];
    return { tensors, skipped, metadata: checkpoint.metadata, files, close: () => checkpoint.close() };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

function obstacle({ dtype, elements, values }: StoredTensor): string | null {
  if (values === null) return `its dtype is ${dtype.name}, which holds no floats`;
  if (dtype.format === "fp64") return "it is F64: a simulated run starts from fp32 numbers";
  return elements === 0 ? "it has no elements" : null;
}

async function sampled(
  path: Checkpoint["path"],
  tensors: readonly StoredTensor[],
  elements: number | null,
): Promise<GivenTensor[]> {
  const sizes = tensors.map((tensor) => tensor.elements);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (elements === null || elements >= total) {
    return tensors.map(({ name, shape, values }, i) => ({ name, shape, size: sizes[i], weights: values! }));
  }
  if (elements < tensors.length) {
    throw new InputError(
      path,
      `at most as many tensors as elements, ${elements}`,
      `${tensors.length} tensors`,
    );
  }
  const given: GivenTensor[] = [];
  for (const [i, length] of stratify(sizes, elements).entries()) {
    const { name, values } = tensors[i];
    given.push({ name, shape: [length], size: sizes[i], weights: await everyNth(values!, length) });
  }
  return given;
}

/** The maximum number of weights read at once while sampling. */
const pieceLength = 2 ** 18;

/** `length` equally spaced numbers, in shared memory. */
async function everyNth(values: Values, length: number): Promise<Values> {
  const bytes = new SharedArrayBuffer(4 * length);
  const taken = new Float32Array(bytes);
  const at = (j: number) => Math.floor(((j + 0.5) * values.length) / length);
  for (let j = 0; j < length; ) {
    const first = j;
    const start = at(first);
    while (j < length && at(j) - start < pieceLength) j += 1;
    // Read no further than the last number needed; for a small sample this is one number at a time.
    const piece = new Float32Array(at(j - 1) - start + 1);
    await values.read(start, piece);
    for (let i = first; i < j; i++) taken[i] = piece[at(i) - start];
  }
  return {
    length,
    origin: { kind: "stored", of: { in: bytes, byteOffset: 0, format: format("fp32") } },
    read: async (start, into) => into.set(taken.subarray(start, start + into.length)),
  };
}
