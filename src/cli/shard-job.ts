import { piecesOf, planTensor } from "../engine/plan-tensor.js";
import type { DescribedJob, JobShard } from "../engine/run-lens.js";
import { sampleRate, selectEngine } from "../engine/select.js";
import type { TensorInput } from "../lens/input.js";
import { storedAs } from "../lens/run/summarize.js";
import { planShards } from "../lens/shard/plan.js";
import { bytes } from "../report/numbers.js";
import { renderShardPlan } from "../report/shard-plan.js";
import type { CaseSettings } from "../update/optimizer.js";
import { type DividedWork, partOf, tellPlan } from "./shard.js";
import type { ShardRequest } from "./shard-option.js";
import type { Streams } from "./streams.js";

/** The shard options of a command that runs a job. */
export interface ShardOptions {
  readonly engine: string;
  readonly json?: string | undefined;
}

/** The parts of a job's identity that depend on the command, besides tensors and cases. */
export type WorkOf = Pick<DividedWork, "command" | "settings" | "files" | "sizes">;

/**
 * The pieces of a job that a shard counts. For a plan, writes the plan and returns null.
 *
 * @returns the job's tensors and shard, to spread into it; null for a plan.
 */
export async function shardOfJob<Job extends Pick<DescribedJob, "tensors" | "cases" | "stepNumbers">>(
  job: Job,
  workOf: WorkOf,
  request: ShardRequest,
  options: ShardOptions,
  streams: Streams,
): Promise<(Job & { readonly tensors: readonly TensorInput[]; readonly shard: JobShard }) | null> {
  const { tensors, cases } = job;
  const planned = tensors.map((tensor) => ({
    ...planTensor(tensor, cases),
    name: tensor.name,
    shape: tensor.shape,
  }));
  const settings = { of: workOf.settings, cases: namedCases(cases), steps: job.stepNumbers };
  const work = { ...workOf, settings, tensors: planned, weights: planned.length };
  if (request.index !== "plan") {
    const part = partOf(work, request.index, request.of, options.json);
    return { ...job, tensors: piecesOf(tensors, part.ranges), shard: { part, all: tensors } };
  }
  const [{ elements, bytes: all }] = planShards(planned, 1);
  const { engine } = await selectEngine(options.engine, job);
  try {
    const rate = elements * job.stepNumbers.length === 0 ? null : await sampleRate(engine, job);
    const perSecond = rate && (rate * all) / (elements * job.stepNumbers.length * cases.length);
    const measured =
      perSecond === null
        ? "Nothing was counted to estimate the time."
        : `Measured on this machine (${engine.name}, ${engine.device}), one step of a sample in memory: ${bytes(perSecond)} a second; slower reading takes longer.`;
    tellPlan(work, request.of, { bytesPerSecond: perSecond, measured }, options, streams, renderShardPlan);
  } finally {
    await engine.close?.();
  }
  return null;
}

/** Cases as JSON, with formats and recipes by name. */
export function namedCases(cases: readonly CaseSettings[]): object[] {
  return cases.map((settings) => ({
    ...settings,
    format: storedAs(settings),
    ...(settings.blocks && { blocks: settings.blocks.name, through: settings.through?.name ?? null }),
    ...(settings.recipe && { recipe: [settings.recipe.optimizer, settings.recipe.name] }),
  }));
}
