import { selectEngine } from "../engine/registry.js";
import { runLens } from "../engine/run-lens.js";
import type { Result } from "../lens/result.js";
import { openRecording, type RecordingPaths } from "../source/recording.js";
import type { UpdateSettings } from "../update/settings.js";
import { progressBar } from "./progress.js";

export interface RecordingJob {
  readonly paths: RecordingPaths;
  readonly cases: readonly UpdateSettings[];
  readonly engine: string;
  readonly strict: boolean;
  readonly quiet: boolean;
}

/** Opens a recorded run and counts it on the engine asked for. */
export async function lensRecording({ paths, cases, engine, strict, quiet }: RecordingJob): Promise<Result> {
  const recording = await openRecording({ ...paths, strict });
  const bar = progressBar(quiet);
  try {
    const { tensors, stepNumbers, skipped, metadata } = recording;
    const source = { kind: "recorded", ...paths, metadata: Object.fromEntries(metadata.updates) } as const;
    return await runLens(
      { tensors, stepNumbers, cases, skipped, strict, source },
      await selectEngine(engine),
      bar,
    );
  } finally {
    bar.stop();
    await recording.close();
  }
}
