import { join } from "node:path";
import { bringTogether, type Recorded, type WeightsAndUpdates } from "./bring-together.js";
import { InputError } from "./input-error.js";
import { type Checkpoint, openCheckpoint } from "./safetensors/checkpoint.js";
import { statPath } from "./system-error.js";

/** Where the two parts of a recorded run lie: anything that {@link openCheckpoint} opens. */
export interface RecordingPaths {
  readonly weights: string;
  /** Its tensors are named `step<digits>/<weight name>`. */
  readonly updates: string;
}

/** A recorded run: weights, and the updates that were added to them (or the gradients). */
export interface Recording extends WeightsAndUpdates {
  /** Every file that has tensors. */
  readonly files: readonly string[];
  /** What the files say of themselves. */
  readonly metadata: {
    readonly weights: ReadonlyMap<string, string>;
    readonly updates: ReadonlyMap<string, string>;
  };
  /** Closes the files; the tensors can no longer be read. */
  close(): Promise<void>;
}

/**
 * Opens the weights and the updates of a run and brings them together; no data is read. What cannot be used is
 * left out and listed with its reason.
 *
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
    for (const path of [paths.weights, paths.updates]) opened.push(await openCheckpoint(path));
    const [weights, updates] = opened;
    const metadata = { weights: weights.metadata, updates: updates.metadata };
    return {
      ...bringTogether(weights, updates, paths.strict ?? false, paths.of ?? "update"),
      files: [...new Set(opened.flatMap(({ tensors }) => [...tensors.values()].map(({ file }) => file)))],
      metadata,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * The paths in the folder of a recorded run: `base` and `updates`, each a `.safetensors` file, a
 * `.safetensors.index.json`, or a folder. `gradients` instead of `updates` finds the gradients.
 *
 * @throws InputError if one of them is missing, or there in two ways.
 */
export async function recordedRun(
  folder: string,
  part: "updates" | "gradients" = "updates",
): Promise<RecordingPaths> {
  const stats = await statPath(folder, "the folder of a recorded run");
  if (!stats.isDirectory()) throw new InputError(folder, "the folder of a recorded run", "a file");
  return { weights: await findPart(folder, "base"), updates: await findPart(folder, part) };
}

async function findPart(folder: string, part: string): Promise<string> {
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
  const expected = `${names[0]}, ${names[1]} or a folder ${part}`;
  throw new InputError(folder, expected, there.length === 0 ? "none of them" : there.join(" and "));
}
