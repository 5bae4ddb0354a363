import type { DescribedJob } from "../engine/run-lens.js";
import { InputError } from "../source/input-error.js";
import { type CheckpointWeights, openCheckpointWeights } from "../source/synthetic/checkpoint-weights.js";
import {
  type SyntheticRun,
  type SyntheticSettings,
  syntheticRun,
} from "../source/synthetic/synthetic-run.js";

/** A synthetic run, ready to count. */
export type OpenRun = Pick<SyntheticRun, "tensors" | "stepNumbers" | "sizes"> &
  Pick<DescribedJob, "source" | "skipped">;

export interface OpenSynthetic extends OpenRun {
  /** The files of a checkpoint. */
  readonly files: readonly string[];
  /** The same run at another learning rate. */
  at(lr: number): OpenRun;
  close(): Promise<void>;
}

/**
 * Opens a synthetic run on drawn weights or those of a checkpoint.
 *
 * @throws InputError if the checkpoint is not valid, or a sample has fewer elements than tensors.
 */
export async function openSynthetic(
  settings: SyntheticSettings,
  weights: string | undefined,
): Promise<OpenSynthetic> {
  const given = weights === undefined ? null : await openCheckpointWeights(weights, settings.elements);
  const open = (synthetic: SyntheticSettings): OpenRun => {
    const { tensors, stepNumbers, sizes, description } = runOf(synthetic, given);
    const source = {
      kind: "synthetic",
      weights: weights ?? null,
      updates: null,
      gradients: null,
      metadata: {},
      synthetic: description,
    } as const;
    return { tensors, stepNumbers, sizes, skipped: given?.skipped ?? [], source };
  };
  const at = (lr: number) => {
    const { run } = settings;
    return open({ ...settings, run: { ...run, optimizer: { ...run.optimizer, lr } } });
  };
  try {
    return { ...open(settings), files: given?.files ?? [], at, close: async () => given?.close() };
  } catch (error) {
    await given?.close();
    throw error;
  }
}

function runOf(settings: SyntheticSettings, given: CheckpointWeights | null): SyntheticRun {
  try {
    return syntheticRun(settings, given?.tensors ?? null);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(settings.model?.name ?? "weights", "a sample of every tensor", error.message);
  }
}
