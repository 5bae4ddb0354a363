import { runLens } from "../engine/run-lens.js";
import { type ProvenEngine, selectEngine } from "../engine/select.js";
import type { Result } from "../lens/result.js";
import { openRecording, type Recording, type RecordingPaths } from "../source/recording.js";
import { WeightsWriter } from "../source/safetensors/weights-writer.js";
import type { CaseSettings } from "../update/optimizer.js";
import { version } from "../version.js";
import { progressBar } from "./progress.js";

export interface RecordingJob {
  readonly paths: RecordingPaths;
  readonly cases: readonly CaseSettings[];
  readonly engine: string;
  readonly strict: boolean;
  readonly quiet: boolean;
  /** Where to write the stored weights at the end; one case only. */
  readonly writeWeights?: string | undefined;
}

/** Opens a recorded run and counts it on the engine asked for. */
export async function lensRecording(job: RecordingJob): Promise<Result> {
  const { paths, cases, engine, strict, quiet } = job;
  const byRecipe = "recipe" in cases[0];
  const recording = await openRecording({ ...paths, strict, of: byRecipe ? "gradient" : "update" });
  const bar = progressBar(quiet);
  let writer: WeightsWriter | null = null;
  let chosen: ProvenEngine | null = null;
  try {
    const { tensors, stepNumbers, skipped, metadata } = recording;
    const source = {
      kind: "recorded",
      weights: paths.weights,
      updates: byRecipe ? null : paths.updates,
      gradients: byRecipe ? paths.updates : null,
      metadata: Object.fromEntries(metadata.updates),
    } as const;
    chosen = await selectEngine(engine, { tensors, stepNumbers, cases });
    writer = weightsWriter(job, recording);
    const result = await runLens({ tensors, stepNumbers, cases, skipped, strict, source }, chosen, {
      ...bar,
      weights: (_, tensor, start, weights) => writer?.write(tensor, start, weights),
    });
    writer?.finish();
    return result;
  } catch (error) {
    writer?.abandon();
    throw error;
  } finally {
    bar.stop();
    await recording.close();
    await chosen?.engine.close?.();
  }
}

function weightsWriter({ writeWeights, cases }: RecordingJob, { tensors }: Recording): WeightsWriter | null {
  if (writeWeights === undefined) return null;
  const [{ format, scheme, rounding }] = cases;
  const made = { tool: `precision-lens ${version}`, format: format.name, scheme, rounding };
  return new WeightsWriter(writeWeights, tensors, format, made);
}
