import { Command } from "commander";
import { studyFirstShown } from "../engine/first-shown.js";
import type { Result } from "../lens/run/result.js";
import { FirstShownFormula } from "../lens/study/first-shown.js";
import { samplingOf } from "../lens/study/sampling.js";
import { rateText } from "../report/sweep-table.js";
import { milestonesOf } from "../source/synthetic/milestones.js";
import { presets } from "../source/synthetic/presets.js";
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
import { type Streams, wrappedFor } from "./streams.js";
import { asUsage } from "./strict-options.js";
import { addSyntheticOptions, type SyntheticOptions, syntheticSettings } from "./synthetic-options.js";
import { expectApart } from "./write-output.js";

interface SimulateOptions extends SyntheticOptions, Omit<CaseOptions, "seed">, OutputOptions {
  readonly recipe?: readonly string[];
  readonly engine: string;
  readonly threads?: number;
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
    .addOption(threadsOption());
  addOutputOptions(addCaseOptions(addSyntheticOptions(command), { seed: false }));
  return command.action(async (options: SimulateOptions) => {
    checkOutput(options, streams);
    await emit(await simulate(command, assumed(options, streams), streams), options, streams);
  });
}

/** What `simulate` alone is about: a run of reinforcement learning. It is told, since nobody asked for it. */
function assumed(options: SimulateOptions, { err }: Streams): SimulateOptions {
  if (options.preset !== undefined || options.steps !== undefined) return options;
  const { name, steps, lr } = presets.get("rlvr")!;
  const sentence = `precision-lens: no --preset or --steps: taken as --preset ${name}, ${steps} steps, a learning rate of ${rateText(options.lr ?? lr)}`;
  if (!options.quiet) err.write(wrappedFor(err, `${sentence}\n`));
  return { ...options, preset: name };
}

async function simulate(command: Command, options: SimulateOptions, { err }: Streams): Promise<Result> {
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
    const job = {
      tensors,
      stepNumbers,
      cases,
      milestones: milestonesOf(stepNumbers.length),
      ...(options.threads !== undefined && { threads: options.threads }),
      skipped,
      strict: false,
      source,
    };
    const result = await countJob(job, { engine: options.engine, progress: options.quiet ? null : err });
    const sampled = result.input.elements < sizes.reduce((sum, size) => sum + size, 0);
    const firstShown = byRecipe
      ? []
      : await studyFirstShown(
          { ...job, cases: cases as readonly UpdateSettings[] },
          new FirstShownFormula(settings.run, settings.source),
        );
    return {
      ...result,
      ...(sampled && { sampling: samplingOf(result.cases, sizes) }),
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
