import { comparerOf, provenKernel } from "../engine/wasm/difference/comparison.js";
import type { TensorPart } from "../geometry/job.js";
import type { DifferenceTallyJson } from "../lens/difference/difference.js";
import type { Comparer } from "../lens/difference/difference-codes.js";
import type { DeltaFile, DifferenceResult } from "../lens/difference/difference-result.js";
import type { Geometry } from "../lens/geometry-result.js";
import type { Part } from "../lens/shard/part.js";
import { isWorthThreads, type Progress, type RangePool } from "../source/pair/compare-pair.js";
import { differenceOf } from "../source/pair/difference-of.js";
import { openPair } from "../source/pair/open-pair.js";
import type { CheckpointPair } from "../source/pair/pair-up.js";
import { version } from "../version.js";
import type { GeometryJob } from "./diff-geometry.js";
import type { ComparisonLog, DiffOptions } from "./diff-options.js";
import { checkOutput, diffRenderers, emitBy, outputFiles } from "./emit.js";
import { pairOptions, pairSettings } from "./pair-options.js";
import { gigabytes, progressBar } from "./progress.js";
import type { ShardRequest } from "./shard-option.js";
import type { Streams } from "./streams.js";
import { expectApart, expectReplaceable } from "./write-output.js";

/**
 * The action of `diff`.
 *
 * @param more further tuned models, whose geometry is measured too.
 * @param request the shard to compare, or to plan.
 * @param startThreads starts threads besides this one, or returns those that run; closed as soon as possible. Null if none is wanted.
 * @throws InputError, CommanderError
 */
export async function diffFiles(
  before: string,
  after: string,
  more: readonly string[],
  options: DiffOptions,
  request: ShardRequest | null,
  startThreads: () => RangePool | null,
  streams: Streams,
): Promise<void> {
  checkOutput(options, streams);
  if (options.resume !== undefined) expectReplaceable(options.resume);
  const asPair = pairOptions(options);
  const delta = await deltaOf(before, after, options);
  // Compile it while headers are read.
  const kernel = provenKernel();
  const pair = await openPair(before, after, asPair);
  const opened = [pair];
  try {
    const { resume } = options;
    const { writeDelta: deltaPath } = options;
    const outputs = [resume, deltaPath].filter((path) => path !== undefined);
    const others = await openOthers();
    const files = [pair, ...others].flatMap(({ files }) => files);
    expectApart([...outputFiles(options), ...outputs], files);
    const comparer = comparerOf(await kernel);
    const part =
      request &&
      (await (await import("./diff-shard.js")).shardOfPair(pair, request, options, comparer, streams));
    if (part === "planned") return;
    const log = await resumeLog(pair, others, options, part);
    const counted = new Map<string, DifferenceTallyJson>();
    // First, since it makes the counts of most matrices on the way.
    const geometry = options.geometry && (await geometryOfAll(others, log, counted));
    const pool = options.geometry && !isWorthThreads(pair, counted) ? null : startThreads();
    pool?.prepare(await kernel);
    const tallies = {
      tally: (tensor: string) => counted.get(tensor) ?? (log?.part(tensor) as DifferenceTallyJson) ?? null,
      done: (tensor: string, tally: DifferenceTallyJson) => log?.add(tensor, tally),
    };
    const difference = await compared(pair, comparer, pool, tallies, options, part, streams);
    const file = await delta();
    const result = file === null ? difference : { ...difference, delta: { ...difference.delta, file } };
    // Threads end while the result is written.
    void pool?.close();
    await emitBy(diffRenderers, geometry ? { ...result, geometry } : result, options, streams);
    if (options.resume !== undefined) (await import("../source/resume-log.js")).removeLog(options.resume);
  } finally {
    await Promise.all(opened.map((each) => each.close()));
  }

  async function geometryOfAll(
    others: readonly CheckpointPair[],
    log: ComparisonLog | null,
    counted: Map<string, DifferenceTallyJson>,
  ): Promise<Geometry> {
    const job = {
      ...geometryJob(options),
      difference: await kernel,
      counted: (tensor: string, tally: DifferenceTallyJson) => void counted.set(tensor, tally),
    };
    return (await geometryModule()).measured([pair, ...others], before, log, job, streams);
  }

  async function openOthers(): Promise<CheckpointPair[]> {
    for (const path of more) opened.push(await openPair(before, path, asPair));
    return opened.slice(1);
  }
}

function geometryJob({ lr, steps, ...options }: DiffOptions): GeometryJob {
  return {
    ...options,
    pair: pairOptions(options),
    walk: (updates = steps) => (lr === undefined || updates === undefined ? null : { lr, steps: updates }),
  };
}

/** Loaded only if needed. */
function geometryModule() {
  return import("./diff-geometry.js");
}

/** Applies a delta at once; for a delta to write, returns the function that writes it after the comparison. */
async function deltaOf(
  before: string,
  after: string,
  { writeDelta: written, applyDelta: applied }: DiffOptions,
): Promise<() => Promise<DeltaFile | null>> {
  if (applied !== undefined) {
    expectReplaceable(after, true);
    const { applyDelta } = await import("../source/delta/apply-delta.js");
    const file = await applyDelta(before, applied, after);
    return async () => file;
  }
  if (written === undefined) return async () => null;
  expectReplaceable(written, true);
  return async () => (await import("../source/delta/write-delta.js")).writeDelta(before, after, written);
}

async function compared(
  pair: CheckpointPair,
  comparer: Comparer,
  pool: RangePool | null,
  resume: Progress,
  options: DiffOptions,
  part: Part | null,
  { err }: Streams,
): Promise<DifferenceResult> {
  const { sample, seed } = options;
  const bar = await progressBar(options.quiet ? null : err, gigabytes);
  try {
    return await differenceOf(pair, {
      ...pairSettings(options),
      sample,
      seed,
      comparer,
      pool,
      progress: bar.progress,
      part,
      resume,
    });
  } finally {
    bar.stop();
  }
}

async function resumeLog(
  pair: CheckpointPair,
  others: readonly CheckpointPair[],
  options: DiffOptions,
  part: Part | null,
): Promise<ComparisonLog | null> {
  const { resume, geometry, rank, layers, lr, steps, seed } = options;
  if (resume === undefined) return null;
  const { fileIdentities, ResumeLog } = await import("../source/resume-log.js");
  const ofGeometry = { geometry, others: others.map(({ after }) => after), rank, layers, lr, steps, seed };
  return new ResumeLog<DifferenceTallyJson | TensorPart>(resume, {
    version,
    command: "diff",
    settings: {
      before: pair.before,
      after: pair.after,
      ...pairSettings(options),
      ...(geometry && ofGeometry),
      ...(part && { shard: { index: part.index, of: part.of, plan: part.plan } }),
    },
    files: fileIdentities([...new Set([pair, ...others].flatMap(({ files }) => files))].sort()),
  });
}
