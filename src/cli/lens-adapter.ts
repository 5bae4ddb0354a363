import type { Observer } from "../engine/engine.js";
import type { DescribedJob } from "../engine/run-lens.js";
import { format } from "../format/registry.js";
import { type MergeLens, mergeCase } from "../lens/run/merge-lens.js";
import type { Result } from "../lens/run/result.js";
import { spread } from "../lens/spread.js";
import { MergedCheckpoint } from "../source/adapter/merged.js";
import { type AdapterOnBase, mergedAndUnmerged, openAdapter } from "../source/adapter/open-adapter.js";
import { InputError } from "../source/input-error.js";
import type { UpdateSettings } from "../update/settings.js";
import { castsOf, countJobs } from "./count-job.js";
import type { Output } from "./streams.js";

export interface AdapterJob {
  readonly base: string;
  readonly adapter: string;
  /** A merged checkpoint to compare with. */
  readonly merged?: string | undefined;
  /** The name of a format to which updates are rounded before they are added. */
  readonly roundUpdate?: string | undefined;
  /** Whether to count the state after unmerging too. */
  readonly unmerge: boolean;
  readonly cases: (opened: AdapterOnBase) => readonly UpdateSettings[];
  readonly engine: string;
  readonly threads?: number | undefined;
  readonly strict: boolean;
  /** The stream for a progress bar; null for none. */
  readonly progress: Output | null;
  /** Called with every opened file before counting. */
  readonly opened?: (files: readonly string[]) => void;
}

/** Merges an adapter into its base and counts the classes of its updates. */
export async function lensAdapter(job: AdapterJob): Promise<Result> {
  const { base, adapter, strict, merged: path, roundUpdate } = job;
  const rounded = roundUpdate === undefined ? undefined : format(roundUpdate);
  const opened = await openAdapter(base, adapter, { strict, rounded });
  let merged: MergedCheckpoint | null = null;
  try {
    const cases = job.cases(opened);
    const compared = path === undefined ? 0 : comparedCase(cases, path);
    if (path !== undefined) {
      merged = await MergedCheckpoint.open(path, opened.tensors, cases[compared].format.name);
    }
    job.opened?.([...opened.files, ...(merged?.files ?? [])]);
    const [result, unmerged] = await count(job, opened, cases, merged, compared);
    const merge: MergeLens = {
      rank: spread(opened.ranks),
      scale: spread(opened.scales),
      rsLora: opened.rsLora,
      rounded: rounded?.name ?? null,
      untouched: {
        tensors: opened.untouched.length,
        elements: opened.untouched.reduce((sum, { elements }) => sum + elements, 0),
      },
      replaced: [...opened.replaced.keys()],
      cases: result.cases.map((caseResult, c) => mergeCase(caseResult, unmerged?.cases[c].end ?? null)),
      merged: (await merged?.end(compared, opened)) ?? null,
    };
    return { ...result, merge };
  } finally {
    await merged?.close();
    await opened.close();
  }
}

/** The case to compare with a merged checkpoint: in-place, rounded to nearest. */
function comparedCase(cases: readonly UpdateSettings[], path: string): number {
  const found = cases.findIndex(
    ({ scheme, rounding }) => scheme === "in-place" && rounding === "nearest-even",
  );
  if (found >= 0) return found;
  throw new InputError(path, "a case stored in-place by nearest-even to compare with", "none");
}

async function count(
  { base, adapter, engine, progress, threads, strict, unmerge, merged: path }: AdapterJob,
  opened: AdapterOnBase,
  cases: readonly UpdateSettings[],
  merged: MergedCheckpoint | null,
  compared: number,
): Promise<Result[]> {
  const job: DescribedJob = {
    tensors: opened.tensors,
    stepNumbers: [0],
    cases,
    ...(threads !== undefined && { threads }),
    skipped: opened.skipped,
    strict,
    source: {
      kind: "adapter",
      weights: base,
      updates: null,
      gradients: null,
      adapter,
      ...(path !== undefined && { merged: path }),
      metadata: Object.fromEntries(opened.metadata),
    },
  };
  const back: DescribedJob = { ...job, tensors: mergedAndUnmerged(opened.tensors), stepNumbers: [0, 1] };
  const results: Result[] = [];
  const weights: Observer["weights"] = (ofCase, tensor, start, numbers) => {
    // Only the first job: after unmerging there is nothing to compare with.
    if (ofCase === compared && results.length === 0) merged?.compare(tensor, start, numbers);
  };
  const jobs = unmerge ? [job, back] : [job];
  for await (const result of countJobs(jobs, { engine, progress, ...(merged && { weights }) })) {
    results.push(result);
  }
  results[0] = { ...results[0], ...(await castsOf(job)) };
  return results;
}

/** The common storage format of the base's tensors that the adapter changes. */
export function storedFormat({ formats }: AdapterOnBase, base: string): string {
  const names = [...formats].map((format) => (format === "fp64" ? format : format.name));
  if (names.length === 1 && names[0] !== "fp64") return names[0];
  throw new InputError(
    base,
    "one format for all weights that the adapter changes, or one named by --view",
    names.join(" and "),
  );
}
