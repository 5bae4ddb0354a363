import { readdirSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { parameterCount, parameters } from "../learn/decoder/shape.js";
import { firstOperands, Learning } from "../learn/learn.js";
import { RunRecorder } from "../learn/recorded-run.js";
import { largestNorm, optimizerSettings, type TrainingSettings, usualRates } from "../learn/training.js";
import {
  type LearningRun,
  type LearnResult,
  type LearnRun,
  learningRuns,
} from "../lens/learning/learning.js";
import { isFp32 } from "../lens/learning/learning-summary.js";
import { InputError } from "../source/input-error.js";
import { updateSettings } from "../update/settings.js";
import { version } from "../version.js";
import { addOutputOptions, finiteNumber, type OutputOptions, wholeNumber } from "./common-options.js";
import { checkOutput, emitBy, learnRenderers } from "./emit.js";
import { type BaseName, baseNames, exampleModels, heldOutOf } from "./example-models.js";
import { modelGeometry } from "./learn-geometry.js";
import { addCaseOptions, type CaseOptions, caseGrid, plainCases } from "./options.js";
import { progressBar } from "./progress.js";
import { writeRecordedRun } from "./record-run.js";
import type { Streams } from "./streams.js";
import { asUsage, ListOption, oneOf } from "./strict-options.js";
import { expectFolder } from "./write-figures.js";

interface LearnOptions extends Omit<CaseOptions, "seed">, OutputOptions {
  readonly run: readonly LearningRun[];
  readonly lr?: readonly number[];
  readonly seed: readonly number[];
  readonly steps: number;
  readonly base: BaseName;
  readonly kl?: keyof typeof firstOperands;
  readonly geometry?: boolean;
  readonly record?: string;
}

/** The maximum number of recorded steps, which are kept in memory until written: a step takes 0.2 MB. */
const mostRecorded = 3000;

export function learnCommand(streams: Streams): Command {
  const command = new Command("learn")
    .description(
      "Trains the embedded decoder (26,048 weights, adds two numbers) further: GRPO (rlvr), cross-entropy (sft) or on-policy " +
        "distillation (opd), AdamW as in the recorded runs. Every way of storing trains its own model, which reads what is stored; " +
        "an fp32 model is trained beside them. 300 steps take some seconds.",
    )
    .addOption(
      listOf("--run <names>", learningRuns.join(", "), (text) => oneOf("run", text, learningRuns)).default(
        ["rlvr"],
        "rlvr",
      ),
    );
  addCaseOptions(command, { seed: false })
    .addOption(listOf("--lr <rates>", "learning rates (default: 1e-5, of sft 1e-4)", rate))
    .addOption(
      listOf("--seed <list>", "of prompts, answers and stochastic rounding", wholeNumber).default([0], "0"),
    )
    .option("--steps <n>", "steps of the optimizer, up to 9999", stepCount, 300)
    .addOption(
      new Option("--base <name>", "addition, or one that subtracts too, which shows what is forgotten")
        .choices(baseNames)
        .default("addition"),
    )
    .addOption(
      new Option(
        "--kl <prompts>",
        "KL between base and model over all answers: to all prompts, 20 s a model, or a tenth",
      ).choices(Object.keys(firstOperands)),
    )
    .option(
      "--geometry",
      "how the weights changed: size, stable rank, angles, energy, masks, beside what size alone gives",
    )
    .option("--record <folder>", "write the run as a recorded run; one model only");
  return addOutputOptions(command, "model").action(async (options: LearnOptions) => {
    checkOutput(options, streams);
    const { record } = options;
    const grid = asUsage(command, () => gridOf(command, options));
    if (record !== undefined) {
      if (grid.length !== 1) {
        command.error(
          `error: --record takes one model, found ${grid.length}: name one --run, --format, --scheme, ...`,
        );
      }
      if (options.steps > mostRecorded) {
        command.error(`error: --record takes at most ${mostRecorded} steps, found ${options.steps}`);
      }
      expectEmptyFolder(record);
    }
    const result = await trainAll(grid, options, record, streams);
    await emitBy(learnRenderers, result, options, streams);
  });
}

/** All models to train; adds an fp32 one for each run, rate and seed, unless one model is recorded. */
function gridOf(command: Command, { run, lr, seed, record, ...storage }: LearnOptions): TrainingSettings[] {
  const all = run.flatMap((name) =>
    (lr ?? [usualRates[name]]).flatMap((rate) =>
      seed.flatMap((seedNumber) => {
        const fp32 = updateSettings({ format: "fp32", seed: seedNumber });
        const asked = plainCases(command, "learn", caseGrid(command, { ...storage, seed: seedNumber }));
        const storages = record === undefined ? [fp32, ...asked] : asked;
        return storages.map((storage): TrainingSettings => ({ run: name, lr: rate, storage }));
      }),
    ),
  );
  const isReference = ({ storage }: TrainingSettings) => isFp32({ ...storage, format: storage.format.name });
  // If fp32 was requested too, it is not added twice.
  const key = ({ run: name, lr: rate, storage }: TrainingSettings) => `${name} ${rate} ${storage.seed}`;
  const seen = new Set<string>();
  return all.filter((settings) => {
    if (!isReference(settings)) return true;
    const isNew = !seen.has(key(settings));
    seen.add(key(settings));
    return isNew;
  });
}

async function trainAll(
  grid: readonly TrainingSettings[],
  { steps, kl, geometry, quiet, base, run }: LearnOptions,
  record: string | undefined,
  { err }: Streams,
): Promise<LearnResult> {
  const models = await exampleModels(base, run.includes("opd"));
  const learning = await Learning.open(models, heldOutOf(base));
  const firsts = kl === undefined ? [] : firstOperands[kl];
  const recorder = record === undefined ? null : new RunRecorder();
  const measured = geometry ? { geometry: await modelGeometry(steps) } : {};
  const runs: LearnRun[] = [];
  const bar = await progressBar(quiet ? null : err, { name: "steps", size: 1 });
  try {
    for (const [i, settings] of grid.entries()) {
      const pause = async (done: number, total: number) => {
        bar.progress(i * total + done, grid.length * total);
        // Yield, so that Ctrl-C is handled.
        await new Promise((resolve) => setImmediate(resolve));
      };
      const observed = recorder ? { observe: recorder.observe } : {};
      runs.push(await learning.run(settings, { steps, divergence: firsts, pause, ...observed, ...measured }));
    }
  } finally {
    bar.stop();
  }
  if (recorder) writeRecordedRun(record!, models.base, recorder, runs[0]);
  const { betas, eps, weightDecay } = optimizerSettings;
  return {
    schema: "precision-lens-learn/1",
    tool: { name: "precision-lens", version },
    input: {
      base,
      task: "two numbers below 100 and their sum",
      prompts: 10_000,
      tensors: parameters.length,
      elements: parameterCount,
    },
    settings: {
      steps,
      betas: [...betas],
      eps,
      weightDecay,
      clip: largestNorm,
      klPrompts: 100 * firsts.length,
    },
    arithmetic: learning.arithmetic,
    runs,
  };
}

/** @throws InputError for a folder that cannot be created or is not empty. */
function expectEmptyFolder(path: string): void {
  expectFolder(path);
  let names: string[] = [];
  try {
    names = readdirSync(path);
  } catch {
    return;
  }
  if (names.length > 0) throw new InputError(path, "a new or an empty folder", `one with ${names[0]} in it`);
}

function listOf<T>(flags: string, about: string, parse: (text: string) => T): ListOption<T> {
  return new ListOption(flags, about, (text) => text.split(",").map((part) => parse(part.trim())));
}

function rate(text: string): number {
  const x = finiteNumber(text);
  if (x <= 0) throw new InvalidArgumentError("expected learning rates above zero, such as 1e-5,1e-4");
  return x;
}

/** A recorded run numbers its steps with four digits. */
function stepCount(text: string): number {
  const n = wholeNumber(text);
  if (n < 1 || n > 9999) throw new InvalidArgumentError("expected a number of steps from 1 to 9999");
  return n;
}
