import { comparerOf, provenKernel } from "../engine/wasm/difference/comparison.js";
import { blockFormat, isBlockFormat } from "../format/block/block-format.js";
import { format } from "../format/registry.js";
import type { DifferenceTallyJson } from "../lens/difference.js";
import type { Comparer } from "../lens/difference-codes.js";
import type { DifferenceResult } from "../lens/difference-result.js";
import { differenceOf } from "../source/pair/difference-of.js";
import { openPair } from "../source/pair/open-pair.js";
import type { CheckpointPair } from "../source/pair/pair-up.js";
import type { WorkerPool } from "../source/pair/worker-pool.js";
import { version } from "../version.js";
import type { DiffOptions } from "./diff.js";
import { checkOutput, diffRenderers, emitBy, outputFiles } from "./emit.js";
import { gigabytes, progressBar } from "./progress.js";
import type { Streams } from "./streams.js";
import { expectApart, expectWritable } from "./write-output.js";

/**
 * What `diff` does.
 *
 * @param pool threads beside this one; it ends them as soon as it can.
 * @throws InputError, CommanderError
 */
export async function diffFiles(
  before: string,
  after: string,
  options: DiffOptions,
  pool: WorkerPool | null,
  streams: Streams,
): Promise<void> {
  checkOutput(options, streams);
  if (options.resume !== undefined) expectWritable(options.resume);
  const view =
    options.view === undefined
      ? null
      : isBlockFormat(options.view)
        ? blockFormat(options.view)
        : format(options.view);
  // It is compiled while the headers are read.
  const kernel = provenKernel();
  const pair = await openPair(before, after, { view, strict: options.strict ?? false });
  try {
    const { resume } = options;
    expectApart([...outputFiles(options), ...(resume === undefined ? [] : [resume])], pair.files);
    pool?.prepare(await kernel);
    const result = await compared(pair, comparerOf(await kernel), pool, options, streams);
    // They end while the result is written.
    void pool?.close();
    await emitBy(diffRenderers, result, options, streams);
    if (options.resume !== undefined) (await import("../source/resume-log.js")).removeLog(options.resume);
  } finally {
    await pair.close();
  }
}

async function compared(
  pair: CheckpointPair,
  comparer: Comparer,
  pool: WorkerPool | null,
  options: DiffOptions,
  { err }: Streams,
): Promise<DifferenceResult> {
  const { view = null, strict = false, sample: chunks, seed } = options;
  const log = await resumeLog(pair, options);
  const bar = await progressBar(options.quiet ? null : err, gigabytes);
  try {
    return await differenceOf(pair, {
      view,
      strict,
      sample: chunks,
      seed,
      comparer,
      pool,
      progress: bar.progress,
      resume: log && {
        tally: (tensor) => log.part(tensor),
        done: (tensor, tally) => log.add(tensor, tally),
      },
    });
  } finally {
    bar.stop();
  }
}

async function resumeLog(pair: CheckpointPair, { resume, view, strict }: DiffOptions) {
  if (resume === undefined) return null;
  const { fileIdentities, ResumeLog } = await import("../source/resume-log.js");
  return new ResumeLog<DifferenceTallyJson>(resume, {
    version,
    command: "diff",
    settings: { before: pair.before, after: pair.after, view: view ?? null, strict: strict ?? false },
    files: fileIdentities(pair.files),
  });
}
