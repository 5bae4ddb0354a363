import type { LensJob, Observer } from "../engine/engine.js";
import { type DescribedJob, runLens } from "../engine/run-lens.js";
import type { PartLog } from "../engine/run-parts.js";
import { type ProvenEngine, selectEngine } from "../engine/select.js";
import { castsWithoutScale } from "../lens/cast.js";
import type { Result } from "../lens/run/result.js";
import { progressBar } from "./progress.js";
import type { Output } from "./streams.js";

export interface CountOptions {
  readonly engine: string;
  /** The stream for a progress bar; null for none. */
  readonly progress: Output | null;
  /** Receives the stored weights; see Observer. */
  readonly weights?: Observer["weights"];
  /** Opens the log of counts for the chosen engine; null for none. */
  readonly log?: (chosen: ProvenEngine) => PartLog | null;
}

/** Counts a job on the requested engine, with a progress bar. */
export async function countJob(job: DescribedJob, options: CountOptions): Promise<Result> {
  for await (const result of countJobs([job], options)) return { ...result, ...(await castsOf(job)) };
  throw new Error("no job was counted");
}

/** The effect of casting a job's weights to its formats without scales; reads the weights once more. */
export async function castsOf({ tensors, cases }: LensJob): Promise<Pick<Result, "casts">> {
  const casts = await castsWithoutScale(
    tensors,
    cases.filter((settings) => !settings.blocks).map(({ format }) => format),
  );
  return casts.length > 0 ? { casts } : {};
}

/** Counts jobs with the same cases and size in order, on one engine and with one progress bar. */
export async function* countJobs(
  jobs: readonly DescribedJob[],
  { engine, progress, weights, log }: CountOptions,
): AsyncGenerator<Result> {
  const bar = await progressBar(progress);
  let chosen: ProvenEngine | null = null;
  try {
    chosen = await selectEngine(engine, jobs[0]);
    for (const [i, job] of jobs.entries()) {
      const observer: Observer = {
        progress: (done, total) => bar.progress(i * total + done, jobs.length * total),
        // Without this callback, engines do not fetch weights from their threads or device.
        ...(weights && { weights }),
      };
      yield await runLens(job, chosen, observer, log?.(chosen) ?? null);
    }
  } finally {
    bar.stop();
    await chosen?.engine.close?.();
  }
}
