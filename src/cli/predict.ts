import { Command } from "commander";
import { predict, type StepCount } from "../engine/predict.js";
import { storageFormat } from "../format/block/block-format.js";
import { type PredictionResult, ruleOutcomes } from "../lens/study/prediction.js";
import { InputError } from "../source/input-error.js";
import { openRecording, type Recording, recordedRun } from "../source/recording.js";
import { replayOf } from "../source/replay.js";
import type { OptimizerSettings } from "../update/recipe/recipe.js";
import type { SimulatedRun } from "../update/simulated-adamw.js";
import { version } from "../version.js";
import { addOutputOptions, type OutputOptions, storageName } from "./common-options.js";
import { checkOutput, emitBy, outputFiles, predictionRenderers } from "./emit.js";
import { type OpenRun, openSynthetic } from "./open-synthetic.js";
import { givenSettings } from "./options.js";
import { progressBar } from "./progress.js";
import type { Streams } from "./streams.js";
import { asUsage } from "./strict-options.js";
import {
  addSyntheticOptions,
  refuseSynthetic,
  type SyntheticOptions,
  syntheticSettings,
} from "./synthetic-options.js";
import { expectApart } from "./write-output.js";

interface PredictOptions extends Omit<SyntheticOptions, "source">, OutputOptions {
  readonly format: string;
}

/** Gradients and the optimizer that applies them. */
interface Gradients extends Pick<OpenRun, "tensors" | "stepNumbers" | "skipped" | "source"> {
  readonly run: SimulatedRun;
  readonly files: readonly string[];
  close(): Promise<void>;
}

/** The default steps and weights of a synthetic run, which take a few seconds. */
const defaults = { steps: 60, elements: 2 ** 17 };

export function predictCommand(streams: Streams): Command {
  const command = new Command("predict")
    .description(
      "Runs AdamW with an fp32 master on gradients, recorded (FOLDER, with gradients.safetensors) or synthetic. Before " +
        "each step, every rule predicts which stored weights will change; reports the recall and precision of each. A recording " +
        "has to start from empty moments, with one learning rate and one weight decay at every step of every tensor; for a " +
        "schedule, predict a synthetic run with --schedule and --warmup.",
    )
    .argument("[folder]", "a recorded run with gradients (default: a synthetic one)")
    .option(
      "--format <name>",
      "storage format of the weights; one with shared scales too",
      storageName,
      "bf16",
    );
  addSyntheticOptions(command, { steps: String(defaults.steps), elements: "2^17", sources: false });
  addOutputOptions(command, "rule");
  return command.action(async (folder: string | undefined, options: PredictOptions) => {
    checkOutput(options, streams);
    const gradients =
      folder === undefined ? await synthetic(command, options) : await recorded(command, folder, options);
    const bar = await progressBar(options.quiet ? null : streams.err);
    try {
      expectApart(outputFiles(options), gradients.files);
      const steps = await predict(gradients, gradients.run, storageFormat(options.format), bar);
      bar.stop();
      await emitBy(predictionRenderers, resultOf(gradients, options.format, steps), options, streams);
    } finally {
      bar.stop();
      await gradients.close();
    }
  });
}

function resultOf(
  { tensors, stepNumbers, skipped, source, run }: Gradients,
  formatName: string,
  steps: readonly StepCount[],
): PredictionResult {
  const elements = tensors.reduce((sum, { weights }) => sum + weights.length, 0);
  const total = (field: "changed" | "nonfinite") => steps.reduce((sum, step) => sum + step[field], 0);
  const { metadata: _, ...origin } = source;
  const { lr, betas, eps = 1e-8, weightDecay = 0 } = run.optimizer;
  return {
    schema: "precision-lens-prediction/1",
    tool: { name: "precision-lens", version },
    input: { ...origin, tensors: tensors.length, elements, stepNumbers },
    optimizer: { name: "adamw", lr, betas: betas!, eps, weightDecay },
    format: formatName,
    weightSteps: elements * steps.length - total("nonfinite"),
    changed: total("changed"),
    rules: ruleOutcomes(steps),
    steps,
    skipped,
  };
}

async function synthetic(command: Command, options: PredictOptions): Promise<Gradients> {
  const { steps = defaults.steps, elements = defaults.elements } = options;
  const settings = syntheticSettings(command, { ...options, steps, elements, source: "adamw" });
  const open = await openSynthetic({ ...settings, source: "gradients" }, options.weights);
  return { ...open, run: settings.run };
}

async function recorded(command: Command, folder: string, options: PredictOptions): Promise<Gradients> {
  refuseSynthetic(command, ["lr", "betas", "eps", "weightDecay", "schedule", "warmup"]);
  const paths = await recordedRun(folder, "gradients");
  const recording = await openRecording({ ...paths, of: "gradient" });
  const { tensors, stepNumbers, skipped, metadata, files, close } = recording;
  const steps = Math.max(1, stepNumbers.length);
  let run: SimulatedRun;
  try {
    const settings = asUsage(command, () => recordedSettings(command, recording, options));
    run = syntheticSettings(command, { ...options, ...settings, steps, source: "adamw" }).run;
  } catch (error) {
    await close();
    throw error;
  }
  const source = {
    kind: "recorded",
    weights: paths.weights,
    updates: null,
    gradients: paths.updates,
    metadata: Object.fromEntries(metadata.updates),
  } as const;
  return { tensors, stepNumbers, skipped, source, run, files, close };
}

/**
 * The optimizer settings from the recording, completed by the options.
 *
 * @throws InputError if they contradict each other, or if the run was not one of an optimizer with empty moments.
 */
function recordedSettings(
  command: Command,
  recording: Recording,
  options: PredictOptions,
): OptimizerSettings {
  const { schedule, warmup } = options;
  const given = givenSettings(options);
  const { tensors, settings, isStated } = replayOf(recording, { optimizer: "adamw", given });
  const { updates, moments } = recording.paths;
  if (moments !== undefined)
    throw new InputError(moments, "no moments: predict starts from empty ones", "some");
  const own = tensors.flatMap(({ optimizer }) => optimizer!.settings);
  const other = own.find((candidate) => JSON.stringify(candidate) !== JSON.stringify(settings));
  if (other !== undefined) {
    const text = (optimizer: OptimizerSettings) =>
      `lr ${optimizer.lr}, betas ${optimizer.betas}, weight decay ${optimizer.weightDecay}`;
    const expected = `the same settings at every step of every tensor, as predict takes one: ${text(settings)}`;
    throw new InputError(updates, expected, text(other));
  }
  if (isStated && given.lr === undefined && (schedule !== undefined || warmup !== undefined)) {
    command.error("error: --schedule and --warmup are for a recording that does not say its learning rate");
  }
  return settings;
}
