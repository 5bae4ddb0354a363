import type { Observer } from "../engine/engine.js";
import { type DescribedJob, runLens } from "../engine/run-lens.js";
import type { PartLog } from "../engine/run-parts.js";
import { type ProvenEngine, selectEngine } from "../engine/select.js";
import type { Result } from "../lens/result.js";
import { progressBar } from "./progress.js";

export interface CountOptions {
  readonly engine: string;
  readonly quiet: boolean;
  /** Given the stored weights; see Observer. */
  readonly weights?: Observer["weights"];
  /** Where to keep what is counted, once the engine is known. */
  readonly log?: (chosen: ProvenEngine) => PartLog | null;
}

/** Counts a job on the engine asked for, with a progress bar. */
export async function countJob(
  job: DescribedJob,
  { engine, quiet, weights, log }: CountOptions,
): Promise<Result> {
  const bar = await progressBar(quiet);
  let chosen: ProvenEngine | null = null;
  try {
    chosen = await selectEngine(engine, job);
    // An engine that need not give weights does not fetch them from its threads or its device.
    const observer = weights ? { progress: bar.progress, weights } : { progress: bar.progress };
    return await runLens(job, chosen, observer, log?.(chosen) ?? null);
  } finally {
    bar.stop();
    await chosen?.engine.close?.();
  }
}
