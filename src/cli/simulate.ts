import { Command } from "commander";
import { studyFirstShown } from "../engine/first-shown.js";
import type { DescribedJob } from "../engine/run-lens.js";
import { countOfAll } from "../lens/input.js";
import type { Result } from "../lens/run/result.js";
import { FirstShownFormula } from "../lens/study/first-shown.js";
import { samplingOf } from "../lens/study/sampling.js";
import { milestonesOf } from "../source/synthetic/milestones.js";
import type { CaseSettings } from "../update/optimizer.js";
import { type UpdateSettings, updateSettings } from "../update/settings.js";
import { addOutputOptions, type OutputOptions, threadsOption } from "./common-options.js";
import { countJob } from "./count-job.js";
import { checkOutput, emit, outputFiles } from "./emit.js";
import { openSynthetic } from "./open-synthetic.js";
import {
  addCaseOptions,
  type CaseOptions,
  caseGrid,
  engineOption,
  recipeCases,
  recipeOption,
} from "./options.js";
import { shardOfJob } from "./shard-job.js";
import { type ShardRequest, shardOption, shardRequest } from "./shard-option.js";
import type { Streams } from "./streams.js";
import { asUsage } from "./strict-options.js";
import { addSyntheticOptions, type SyntheticOptions, syntheticSettings } from "./synthetic-options.js";
import { expectApart } from "./write-output.js";

interface SimulateOptions extends SyntheticOptions, Omit<CaseOptions, "seed">, OutputOptions {
  readonly recipe?: readonly string[];
  readonly engine: string;
  readonly threads?: number;
  readonly shard?: unknown;
}

export function simulateCommand(streams: Streams): Command {
  const command = new Command("simulate")
    .summary("a synthetic run: what a format would make of training that was not recorded")
    .description(
      "Draws weights and gradients, takes them through AdamW, and tells what became of every update under the formats " +
        "and schemes asked for, beside an fp32 run. Weights may be those of a real checkpoint, shapes those of a model.",
    )
    .addOption(recipeOption(["adamw"]))
    .addOption(engineOption())
    .addOption(threadsOption())
    .addOption(shardOption());
  addOutputOptions(addCaseOptions(addSyntheticOptions(command), { seed: false }));
  return command.action(async (options: SimulateOptions) => {
    checkOutput(options, streams);
    const request = shardRequest(command, options, streams);
    const result = await simulate(command, options, request, streams);
    if (result !== null) await emit(result, options, streams);
  });
}

/** Null where shards were planned instead. */
async function simulate(
  command: Command,
  options: SimulateOptions,
  request: ShardRequest | null,
  streams: Streams,
): Promise<Result | null> {
  const cases = casesOf(command, options);
  const settings = syntheticSettings(command, options);
  const byRecipe = "recipe" in cases[0];
  const synthetic = await openSynthetic(
    byRecipe ? { ...settings, source: "gradients" } : settings,
    options.weights,
  );
  try {
    expectApart(outputFiles(options), synthetic.files);
    const { tensors, stepNumbers, sizes, skipped, source } = synthetic;
    const whole = {
      tensors,
      stepNumbers,
      cases,
      milestones: milestonesOf(stepNumbers.length),
      ...(options.threads !== undefined && { threads: options.threads }),
      skipped,
      strict: false,
      source,
    };
    const sampled = countOfAll(tensors) < sizes.reduce((sum, size) => sum + size, 0);
    const work = {
      command: "simulate",
      settings: { synthetic: source.synthetic, weights: options.weights === undefined },
      files: synthetic.files,
      sizes: sampled ? sizes : null,
    };
    const job: DescribedJob | null = request
      ? await shardOfJob(whole, work, request, options, streams)
      : whole;
    if (job === null) return null;
    const progress = options.quiet ? null : streams.err;
    const result = await countJob(job, { engine: options.engine, progress });
    // Of the whole, and by the first shard alone.
    const index = result.part?.index ?? 0;
    const firstShown =
      byRecipe || index !== 0
        ? []
        : await studyFirstShown(
            { ...whole, cases: cases as readonly UpdateSettings[] },
            new FirstShownFormula(settings.run, settings.source),
          );
    return {
      ...result,
      ...(sampled && !request && { sampling: samplingOf(result.cases, sizes) }),
      ...(firstShown.length > 0 && { firstShown }),
    };
  } finally {
    await synthetic.close();
  }
}

/** The cases asked for and, beside them, what fp32 makes of the same updates. */
function casesOf(command: Command, options: SimulateOptions): readonly CaseSettings[] {
  if (options.recipe === undefined) {
    const grid = caseGrid(command, options);
    const fp32 = updateSettings({ format: "fp32" });
    return grid.some(({ format }) => format.name === "fp32") ? grid : [...grid, fp32];
  }
  if (options.source === "steady-state")
    command.error("error: --recipe takes gradients: not --source steady-state");
  const { run } = syntheticSettings(command, options);
  if (run.schedule !== "constant" || run.warmup > 0) {
    command.error("error: --recipe runs at one learning rate: --schedule constant --warmup 0");
  }
  const { recipe } = options;
  return asUsage(command, () => recipeCases(options, "adamw", recipe, run.optimizer));
}
