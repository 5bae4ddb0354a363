import type { Observer } from "../engine/engine.js";
import type { DescribedJob } from "../engine/run-lens.js";
import type { CountedPart, PartLog } from "../engine/run-parts.js";
import type { ProvenEngine } from "../engine/select.js";
import type { Result } from "../lens/run/result.js";
import type { Part } from "../lens/shard/part.js";
import type { Recorded } from "../source/bring-together.js";
import { openRecording, type Recording, type RecordingPaths, recordedRun } from "../source/recording.js";
import { fileIdentities, ResumeLog } from "../source/resume-log.js";
import { WeightsWriter } from "../source/safetensors/weights-writer.js";
import { version } from "../version.js";
import type { OutputOptions } from "./common-options.js";
import { countJob } from "./count-job.js";
import { outputFiles } from "./emit.js";
import { namedCases, shardOfJob } from "./shard-job.js";
import type { ShardRequest } from "./shard-option.js";
import type { Output, Streams } from "./streams.js";
import { expectApart } from "./write-output.js";

/** The job for an open recording. */
export type Plan = Pick<DescribedJob, "tensors" | "cases" | "recorded"> &
  Partial<Pick<DescribedJob, "skipped">>;

export interface RecordingJob {
  readonly paths: RecordingPaths;
  readonly of: Recorded;
  readonly plan: (recording: Recording) => Plan;
  readonly engine: string;
  readonly threads?: number | undefined;
  readonly strict: boolean;
  /** The stream for a progress bar; null for none. */
  readonly progress: Output | null;
  /** The path for the final stored weights; for a single case. */
  readonly writeWeights?: string | undefined;
  /** The path of the log to write and to resume from; not with `writeWeights`. The caller removes it. */
  readonly resume?: string | undefined;
}

/** The shard of a job to count or plan, and the path for its result or plan. */
export interface RecordingShard {
  readonly request: ShardRequest;
  readonly json?: string | undefined;
  readonly streams: Streams;
}

/** Opens a recorded run and counts it on the requested engine. */
export async function lensRecording(job: RecordingJob): Promise<Result> {
  return (await lensShard(job, null))!;
}

/** Counts the recorded run of a folder with the cases for it, after checking that no output is one of its files. */
export async function lensFolder(
  folder: string,
  casesOf: (recording: Recording) => Plan["cases"],
  options: OutputOptions & Pick<RecordingJob, "engine" | "threads">,
  streams: Streams,
  strict: boolean,
): Promise<Result> {
  return lensRecording({
    paths: await recordedRun(folder),
    of: "update",
    plan: (recording) => {
      expectApart(outputFiles(options), recording.files);
      return { tensors: recording.tensors, cases: casesOf(recording) };
    },
    engine: options.engine,
    threads: options.threads,
    strict,
    progress: options.quiet ? null : streams.err,
  });
}

/** The same for a shard; null if shards were planned instead. */
export async function lensShard(job: RecordingJob, shard: RecordingShard | null): Promise<Result | null> {
  const { paths, of: recorded, engine, threads, strict, progress } = job;
  const recording = await openRecording({ ...paths, strict, of: recorded });
  let writer: WeightsWriter | null = null;
  try {
    const { stepNumbers, skipped, metadata } = recording;
    const source = {
      kind: "recorded",
      weights: paths.weights,
      updates: recorded === "update" ? paths.updates : null,
      gradients: recorded === "gradient" ? paths.updates : null,
      ...(paths.moments !== undefined && { moments: paths.moments }),
      metadata: Object.fromEntries(metadata.updates),
    } as const;
    const plan = job.plan(recording);
    writer = weightsWriter(job, plan);
    const left = [...skipped, ...(plan.skipped ?? [])];
    const whole = {
      ...plan,
      stepNumbers,
      ...(threads !== undefined && { threads }),
      skipped: left,
      strict,
      source,
    };
    const work = {
      command: "run",
      settings: { strict, of: recorded, ...(plan.recorded && { recorded: plan.recorded }) },
      files: recording.files,
    };
    const counted: DescribedJob | null = shard
      ? await shardOfJob(whole, work, shard.request, { engine, json: shard.json }, shard.streams)
      : whole;
    if (counted === null) return null;
    const result = await countJob(counted, {
      engine,
      progress,
      ...(writer && { weights: writeTo(writer) }),
      log: (chosen) => resumeLog(job, plan, recording, chosen, counted.shard?.part),
    });
    writer?.finish();
    return result;
  } catch (error) {
    writer?.abandon();
    throw error;
  } finally {
    await recording.close();
  }
}

function writeTo(writer: WeightsWriter): Required<Observer>["weights"] {
  return (_, tensor, start, weights) => writer.write(tensor, start, weights);
}

/** Its identity excludes threads, which do not change results. */
function resumeLog(
  { resume, paths, strict }: RecordingJob,
  { cases, recorded }: Plan,
  recording: Recording,
  { engine }: ProvenEngine,
  part: Part | undefined,
): PartLog | null {
  if (resume === undefined) return null;
  return new ResumeLog<CountedPart>(resume, {
    version,
    command: "run",
    settings: {
      paths,
      cases: namedCases(cases),
      ...(recorded && { recorded }),
      strict,
      engine: engine.name,
      ...(part && { shard: { index: part.index, of: part.of, plan: part.plan } }),
    },
    files: fileIdentities(recording.files),
  });
}

function weightsWriter({ writeWeights }: RecordingJob, { cases, tensors }: Plan): WeightsWriter | null {
  if (writeWeights === undefined) return null;
  const [{ format, scheme, rounding }] = cases;
  const made = { tool: `precision-lens ${version}`, format: format.name, scheme, rounding };
  return new WeightsWriter(writeWeights, tensors, format, made);
}
