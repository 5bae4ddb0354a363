import type { LensJob, Observer } from "../engine/engine.js";
import { type DescribedJob, runLens } from "../engine/run-lens.js";
import type { PartLog } from "../engine/run-parts.js";
import { type ProvenEngine, selectEngine } from "../engine/select.js";
import { castsWithoutScale } from "../lens/cast.js";
import type { Result } from "../lens/run/result.js";
import { sharesScales } from "../update/block-settings.js";
import { progressBar } from "./progress.js";
import type { Output } from "./streams.js";

export interface CountOptions {
  readonly engine: string;
  /** Where a progress bar may be shown, if at all. */
  readonly progress: Output | null;
  /** Given the stored weights; see Observer. */
  readonly weights?: Observer["weights"];
  /** Where to keep what is counted, once the engine is known. */
  readonly log?: (chosen: ProvenEngine) => PartLog | null;
}

/** Counts a job on the engine asked for, with a progress bar. */
export async function countJob(job: DescribedJob, options: CountOptions): Promise<Result> {
  for await (const result of countJobs([job], options)) return { ...result, ...(await castsOf(job)) };
  throw new Error("no job was counted");
}

/** What the formats of a job make of its weights without scales; the weights are read once more for it. */
export async function castsOf({ tensors, cases }: LensJob): Promise<Pick<Result, "casts">> {
  const casts = await castsWithoutScale(
    tensors,
    cases.filter((settings) => !sharesScales(settings)).map(({ format }) => format),
  );
  return casts.length > 0 ? { casts } : {};
}

/** Counts jobs of the same cases and size, one after the other, on one engine and with one progress bar. */
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
        // An engine that need not give weights does not fetch them from its threads or its device.
        ...(weights && { weights }),
      };
      yield await runLens(job, chosen, observer, log?.(chosen) ?? null);
    }
  } finally {
    bar.stop();
    await chosen?.engine.close?.();
  }
}
