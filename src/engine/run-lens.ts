import { countOfAll, type SkippedTensor, type TensorInput } from "../lens/input.js";
import type { Result, ResultInput, ResultOptimizer, SelfCheck } from "../lens/run/result.js";
import type { Part } from "../lens/shard/part.js";
import { spread } from "../lens/spread.js";
import type { RecipeSettings } from "../update/optimizer.js";
import type { OptimizerSettings } from "../update/recipe/recipe.js";
import { betasOf, defaultEps } from "../update/recipe/recipe-step.js";
import { version } from "../version.js";
import type { Engine, LensJob, Observer } from "./engine.js";
import { type PartLog, runParts, runWhole } from "./run-parts.js";
import { expectCountable } from "./walk.js";

export interface JobShard {
  readonly part: Part;
  readonly all: readonly TensorInput[];
}

/** A job, and the provenance that its result reports. */
export interface DescribedJob extends LensJob {
  readonly source: Pick<
    ResultInput,
    "kind" | "weights" | "updates" | "gradients" | "moments" | "adapter" | "merged" | "metadata" | "synthetic"
  >;
  /** See ResultOptimizer: present if tensors have their own settings from a recording. */
  readonly recorded?: ResultOptimizer["recorded"];
  readonly skipped: readonly SkippedTensor[];
  readonly strict: boolean;
  /** For a shard: which one it is, and all tensors of the run; the job has only the shard's pieces. */
  readonly shard?: JobShard;
}

/**
 * Runs a job on an engine that passed its self-check, and assembles the result. With a log of parts it
 * resumes from it; then the observer receives no weights.
 *
 * @param job tensors with their updates, steps, cases; and their provenance.
 * @param chosen an engine and its self-check, from `selectEngine`.
 * @param observer receives progress, and the stored weights at the end.
 * @param log stores the counts part by part; null for none.
 * @returns a result of the schema `precision-lens/2`.
 * @throws RangeError for a job that cannot be counted; errors of sources and engine.
 * @example
 * const numbers = (data) => ({ length: data.length, read: async (start, into) => into.set(data.slice(start, start + into.length)) });
 * const tensor = { name: "w", shape: [2], weights: numbers([1, 2]), updates: [numbers([1e-3, 0.5])] };
 * const source = { kind: "arrays", weights: null, updates: null, gradients: null, metadata: {} };
 * const job = { tensors: [tensor], stepNumbers: [0], cases: [updateSettings({ format: "bf16" })], source, skipped: [], strict: true };
 * (await runLens(job, await selectEngine("auto", job))).cases[0].totals.moved; // 1
 */
export async function runLens(
  job: DescribedJob,
  chosen: { readonly engine: Engine; readonly selfCheck: SelfCheck },
  observer: Observer = {},
  log: PartLog | null = null,
): Promise<Result> {
  const { engine, selfCheck } = chosen;
  expectCountable(job);
  const { cases, handedOver } = log
    ? await runParts(job, engine, observer, log)
    : await runWhole(job, engine, observer);
  const [first] = job.cases;
  const remark = engine.remark?.(job) ?? null;
  return {
    schema: "precision-lens/2",
    tool: { name: "precision-lens", version },
    input: {
      ...job.source,
      tensors: job.tensors.length,
      elements: countOfAll(job.tensors),
      stepNumbers: job.stepNumbers,
    },
    settings: {
      optimizer: first.recipe ? resultOptimizer(first, job) : null,
      overflow: first.overflow,
      seed: first.seed,
      strict: job.strict,
    },
    engine: {
      name: engine.name,
      device: engine.device,
      selfCheck,
      ...(handedOver > 0 && { handedOver }),
      ...(remark !== null && { remark }),
    },
    cases,
    skipped: job.skipped,
    ...(job.shard && { part: job.shard.part }),
  };
}

function resultOptimizer(
  { recipe, optimizer }: RecipeSettings,
  { tensors, recorded, shard }: DescribedJob,
): ResultOptimizer {
  // From the whole run, so that every shard reports the same settings.
  const own = (shard?.all ?? tensors).flatMap((tensor) => tensor.optimizer ?? []);
  const settings = own.length > 0 ? own.flatMap((tensorOptimizer) => tensorOptimizer.settings) : [optimizer];
  const over = (numberOf: (settings: OptimizerSettings) => number) => spread(settings.map(numberOf));
  const beta = (i: 0 | 1) => over((each) => betasOf(recipe.optimizer, each)[i]);
  const stepsTaken = own
    .filter(({ moments }) => Object.keys(moments).length > 0)
    .map((tensorOptimizer) => tensorOptimizer.stepsTaken);
  return {
    name: recipe.optimizer,
    lr: over(({ lr }) => lr),
    betas: [beta(0), beta(1)],
    eps: over(({ eps = defaultEps }) => eps),
    weightDecay: over(({ weightDecay = 0 }) => weightDecay),
    ...(stepsTaken.length > 0 && { stepsTaken: spread(stepsTaken) }),
    ...(recorded && { recorded }),
  };
}
