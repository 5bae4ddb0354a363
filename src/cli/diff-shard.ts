import type { Comparer } from "../lens/difference/difference-codes.js";
import type { Part } from "../lens/shard/part.js";
import { planShards } from "../lens/shard/plan.js";
import type { PlanRate } from "../lens/shard/plan-result.js";
import { bytes } from "../report/numbers.js";
import { renderShardPlan } from "../report/shard-plan.js";
import { comparePair } from "../source/pair/compare-pair.js";
import type { CheckpointPair } from "../source/pair/pair-up.js";
import { planPair } from "../source/pair/plan-pair.js";
import type { DiffOptions } from "./diff-options.js";
import { partOf, tellPlan } from "./shard.js";
import type { ShardRequest } from "./shard-option.js";
import type { Streams } from "./streams.js";

/** Bytes compared to estimate the time. */
const sampleBytes = 2 ** 28;

/** The ranges of a pair that a shard compares; writes the plan instead if asked for. */
export async function shardOfPair(
  pair: CheckpointPair,
  { index, of: total }: ShardRequest,
  options: DiffOptions,
  comparer: Comparer,
  streams: Streams,
): Promise<Part | "planned"> {
  const { view = null, rename = [], commonRows = false, strict = false, sample, seed } = options;
  const tensors = planPair(pair);
  const work = {
    command: "diff",
    settings: { view, rename: rename.map(({ text }) => text), commonRows, strict, sample, seed },
    files: pair.files,
    tensors,
    weights: pair.tensors.length,
  };
  if (index !== "plan") return partOf(work, index, total, options.json);
  tellPlan(work, total, await rateOf(pair, comparer), options, streams, renderShardPlan);
  return "planned";
}

/** The rate of one thread on the beginning of the pair, in the second run, when it is in memory. */
async function rateOf(pair: CheckpointPair, comparer: Comparer): Promise<PlanRate> {
  const tensors = planPair(pair).slice(0, pair.tensors.length);
  const [{ bytes: all }] = planShards(tensors, 1);
  const [{ ranges, bytes: sampled }] = planShards(tensors, Math.max(1, Math.ceil(all / sampleBytes)));
  if (sampled === 0) return { bytesPerSecond: null, measured: "Nothing was compared to estimate the time." };
  const compare = () => comparePair(pair, { comparer, sample: 0, seed: 0, ranges });
  await compare();
  const began = performance.now();
  await compare();
  const bytesPerSecond = sampled / ((performance.now() - began) / 1000);
  const measured = `Measured on this machine, one thread on ${bytes(sampled)} in memory: ${bytes(bytesPerSecond)} a second; slower reading takes longer.`;
  return { bytesPerSecond, measured };
}
