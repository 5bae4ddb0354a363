import { join } from "node:path";
import { bringTogether, type Recorded, type WeightsAndUpdates } from "./bring-together.js";
import { type Checkpoint, openCheckpoint } from "./checkpoint.js";
import { InputError } from "./input-error.js";
import { statPath } from "./system-error.js";

/** The paths of the two parts of a recorded run: anything that {@link openCheckpoint} opens. */
export interface RecordingPaths {
  readonly weights: string;
  /** Its tensors are named `step<digits>/<weight name>`. */
  readonly updates: string;
  /**
   * For gradients: the optimizer's moments before the first step, `m/<weight name>` and `v/<weight name>`.
   */
  readonly moments?: string;
}

/** A recorded run: weights, and the updates that were added to them (or the gradients). */
export interface Recording extends WeightsAndUpdates {
  readonly paths: RecordingPaths;
  /** Null if there are none. */
  readonly moments: Checkpoint | null;
  /** Every file that was opened. */
  readonly files: readonly string[];
  /** Metadata: of the weights, of the updates, and of each file. */
  readonly metadata: {
    readonly weights: ReadonlyMap<string, string>;
    readonly updates: ReadonlyMap<string, string>;
    readonly files: ReadonlyMap<string, ReadonlyMap<string, string>>;
  };
  /** Closes the files; the tensors can no longer be read. */
  close(): Promise<void>;
}

/**
 * Opens the weights and updates of a run and pairs them; no data is read. Unusable tensors are excluded and
 * listed with the reason.
 *
 * @param paths the weights, and the updates or the gradients (`of: "gradient"`) with their moments;
 * `strict`.
 * @returns tensors whose numbers are read on demand, until it is closed.
 * @example
 * const recording = await openRecording({ weights: "base.safetensors", updates: "updates.safetensors" });
 * const [{ name }] = recording.tensors;
 * await recording.close();
 * name; // "embed_tokens.weight"
 * @throws InputError if a file is not valid, if nothing can be used, or, with `strict`, if anything cannot.
 */
export async function openRecording(
  paths: RecordingPaths & { readonly strict?: boolean; readonly of?: Recorded },
): Promise<Recording> {
  const opened: Checkpoint[] = [];
  const close = async () => {
    await Promise.all(opened.map((checkpoint) => checkpoint.close()));
  };
  try {
    const { strict = false, of: recorded = "update", ...named } = paths;
    const parts = [named.weights, named.updates, ...(named.moments === undefined ? [] : [named.moments])];
    for (const path of parts) opened.push(await openCheckpoint(path));
    const [weights, updates, moments = null] = opened;
    const files = new Map(opened.flatMap((part) => [...part.files]));
    return {
      ...bringTogether(weights, updates, strict, recorded),
      paths: named,
      moments,
      files: [...files.keys()],
      metadata: { weights: weights.metadata, updates: updates.metadata, files },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * The paths in the folder of a recorded run: `base` and `updates`, each a `.safetensors` file, a
 * `.safetensors.index.json`, or a folder. `gradients` instead of `updates` finds the gradients and, if
 * present, `moments`.
 *
 * @param folder its path.
 * @param part what to read for each step.
 * @returns the paths of its parts, for `openRecording`.
 * @example (await recordedRun(".")).weights; // "base.safetensors"
 * @throws InputError if one of them is missing, or there in two ways.
 */
export async function recordedRun(
  folder: string,
  part: "updates" | "gradients" = "updates",
): Promise<RecordingPaths> {
  const stats = await statPath(folder, "the folder of a recorded run");
  if (!stats.isDirectory()) throw new InputError(folder, "the folder of a recorded run", "a file");
  const moments = part === "gradients" ? await findPart(folder, "moments", true) : null;
  return {
    weights: (await findPart(folder, "base"))!,
    updates: (await findPart(folder, part))!,
    ...(moments !== null && { moments }),
  };
}

/** What a recorded run has whose updates could not be recorded, and what to do with it. */
export const onlyGradients = "only gradients, from which run --optimizer computes the updates";

/** Whether a recorded run has gradients and no updates, as one that stores bf16 parameters. */
export async function hasOnlyGradients(folder: string): Promise<boolean> {
  const [updates, gradients] = [
    await findPart(folder, "updates", true),
    await findPart(folder, "gradients", true),
  ];
  return updates === null && gradients !== null;
}

/**
 * Whether a folder holds a recorded run, with updates.
 *
 * @throws InputError if one of its parts is there in two ways.
 */
export async function hasRecordedRun(folder: string): Promise<boolean> {
  const parts = [await findPart(folder, "base", true), await findPart(folder, "updates", true)];
  return !parts.includes(null);
}

async function findPart(folder: string, part: string, isOptional = false): Promise<string | null> {
  const names = [`${part}.safetensors`, `${part}.safetensors.index.json`, part];
  const there: string[] = [];
  for (const name of names) {
    const isThere = await statPath(join(folder, name), "").then(
      () => true,
      () => false,
    );
    if (isThere) there.push(name);
  }
  if (there.length === 1) return join(folder, there[0]);
  if (there.length === 0 && isOptional) return null;
  const expected = `${names[0]}, ${names[1]} or a folder ${part}`;
  if (there.length > 0) throw new InputError(folder, expected, there.join(" and "));
  const isComputed = part === "updates" && (await hasOnlyGradients(folder));
  throw new InputError(folder, expected, isComputed ? onlyGradients : "none of them");
}
