import { Command } from "commander";
import { studyFirstShown } from "../engine/first-shown.js";
import { byShape, takesWholeTensors } from "../engine/refused-shapes.js";
import type { DescribedJob } from "../engine/run-lens.js";
import { countOfAll } from "../lens/input.js";
import type { Result } from "../lens/run/result.js";
import { FirstShownFormula } from "../lens/study/first-shown.js";
import { samplingOf } from "../lens/study/sampling.js";
import { rateText } from "../report/sweep.js";
import { milestonesOf } from "../source/synthetic/milestones.js";
import { presets } from "../source/synthetic/presets.js";
import { type CaseSettings, optimizerNames, recipes } from "../update/optimizer.js";
import type { OptimizerName } from "../update/recipe/recipe.js";
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
import { type Streams, wrappedFor } from "./streams.js";
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
    .description(
      "Draws weights and gradients, runs AdamW on them, and classifies every update under the given formats " +
        "and schemes, with an fp32 run for reference. Weights may come from a checkpoint, shapes from a published model.",
    )
    .addOption(recipeOption(optimizerNames))
    .addOption(engineOption())
    .addOption(threadsOption())
    .addOption(shardOption());
  addOutputOptions(addCaseOptions(addSyntheticOptions(command), { seed: false }));
  return command.action(async (options: SimulateOptions) => {
    checkOutput(options, streams);
    const request = shardRequest(command, options, streams);
    const result = await simulate(command, assumed(options, streams), request, streams);
    if (result !== null) await emit(result, options, streams);
  });
}

/** The defaults of `simulate` without options: a run of reinforcement learning, with a notice of that assumption. */
function assumed(options: SimulateOptions, { err }: Streams): SimulateOptions {
  if (options.preset !== undefined || options.steps !== undefined) return options;
  const { name, steps, lr } = presets.get("rlvr")!;
  const sentence = `precision-lens: no --preset or --steps: taken as --preset ${name}, ${steps} steps, a learning rate of ${rateText(options.lr ?? lr)}`;
  if (!options.quiet) err.write(wrappedFor(err, `${sentence}\n`));
  return { ...options, preset: name };
}

/** Null if shards were planned instead. */
async function simulate(
  command: Command,
  given: SimulateOptions,
  request: ShardRequest | null,
  streams: Streams,
): Promise<Result | null> {
  const cases = casesOf(command, given);
  const options = isWhole(cases) ? withMatrix(command, given, takesWholeTensors(cases), streams.err) : given;
  const settings = syntheticSettings(command, options);
  const byRecipe = cases[0].recipe !== undefined;
  const synthetic = await openSynthetic(
    byRecipe ? { ...settings, source: "gradients" } : settings,
    options.weights,
  );
  try {
    expectApart(outputFiles(options), synthetic.files);
    const { tensors, stepNumbers, source } = synthetic;
    const { taken, refused } = byShape(tensors, cases);
    const sizes = synthetic.sizes.filter((_, i) => taken.includes(tensors[i]));
    const skipped = [...synthetic.skipped, ...refused];
    if (taken.length === 0)
      command.error(
        `error: --recipe takes none of the tensors: ${refused[0].reason} (--elements 32x32 is a matrix)`,
      );
    const whole = {
      tensors: taken,
      stepNumbers,
      cases,
      milestones: milestonesOf(stepNumbers.length),
      ...(options.threads !== undefined && { threads: options.threads }),
      skipped,
      strict: false,
      source,
    };
    const sampled = countOfAll(taken) < sizes.reduce((sum, size) => sum + size, 0);
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
    // Computed for the whole, by the first shard only.
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

/** The given cases and, for reference, fp32. */
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
  const optimizer = optimizerOf(recipe);
  // The betas of a preset are those of AdamW.
  const { betas: _, ...settings } = run.optimizer;
  const own = optimizer !== "muon" || options.betas !== undefined;
  return asUsage(command, () => recipeCases(options, optimizer, recipe, own ? run.optimizer : settings));
}

/** The first optimizer with all of these recipes; otherwise AdamW, whose error lists its recipes. */
function optimizerOf(names: readonly string[]): OptimizerName {
  return optimizerNames.find((each) => names.every((name) => recipes[each].has(name))) ?? "adamw";
}

const side = 64;

function isWhole(cases: readonly CaseSettings[]): boolean {
  return cases.some(({ recipe }) => recipe?.whole !== undefined);
}

/** The default size for slow whole-tensor recipes is a small matrix. Recipes of whole matrices cannot be sampled. */
function withMatrix(
  command: Command,
  options: SimulateOptions,
  noSample: boolean,
  err: Streams["err"],
): SimulateOptions {
  const { model, weights, elements } = options;
  if (model !== undefined || weights !== undefined) {
    if (elements === undefined || !noSample) return options;
    command.error("error: a recipe of whole matrices takes no sample of them: leave out --elements");
  }
  if (elements !== undefined) return options;
  if (!options.quiet)
    err.write(
      wrappedFor(
        err,
        `precision-lens: one matrix of ${side} x ${side}, as this recipe is slow; --elements asks for another\n`,
      ),
    );
  return { ...options, elements: [side, side] };
}
