import type { MomentKind, TensorInput } from "../lens/input.js";
import { expectOptimizerSettings, refusedSetting } from "../update/optimizer.js";
import type { OptimizerName, OptimizerSettings } from "../update/recipe/recipe.js";
import { betasOf, defaultEps } from "../update/recipe/recipe-step.js";
import { InputError, quote } from "./input-error.js";
import { momentsOf, type RecordedMoments } from "./moments.js";
import { type RecordedOptimizer, recordedOptimizer, type StepSettings } from "./recorded-optimizer.js";
import type { Recording } from "./recording.js";

/** Options for replaying recorded gradients. */
export interface ReplayOptions {
  /** Default: the recorded one, or AdamW if none is recorded. */
  readonly optimizer?: OptimizerName | undefined;
  /** Settings given by the user. */
  readonly given: StepSettings;
  /**
   * Whether they override recorded ones, and missing steps and moments are accepted; undefined: not offered.
   */
  readonly override?: boolean;
}

/** Gradients, and the optimizer's settings at every step of every tensor. */
export interface Replay {
  readonly optimizer: OptimizerName;
  readonly tensors: readonly TensorInput[];
  /** Those of the first step of the first tensor. */
  readonly settings: OptimizerSettings;
  /** Whether the recording has any. */
  readonly isStated: boolean;
  /** Everything accepted because of `override`, in sentences. */
  readonly remarks: readonly string[];
}

/** The command line options of the settings. */
const flags: Readonly<Record<keyof StepSettings, string>> = {
  lr: "--lr",
  betas: "--betas",
  eps: "--eps",
  weightDecay: "--weight-decay",
};
const keys = Object.keys(flags) as (keyof StepSettings)[];

/**
 * Takes the optimizer's settings from the recording: learning rate, betas, eps and weight decay by step and parameter
 * group, the steps taken, and the moments before the first step.
 *
 * @param recording an open recording with gradients.
 * @param options the optimizer, the given settings, and whether they override recorded ones.
 * @returns the recording's tensors, each with the optimizer's settings at every step.
 * @example
 * const recording = await openRecording({ weights: "base.safetensors", updates: "gradients.safetensors", of: "gradient" });
 * const { optimizer, settings } = replayOf(recording, { given: {} });
 * await recording.close();
 * [optimizer, settings.lr]; // ["adamw", 1e-5]
 * @throws RangeError if a given setting is not valid in torch.
 * @throws InputError if an option contradicts the recording, if the optimizer has no recipe, if a step is missing in
 *   between, or if moments were not empty and are not recorded: unless `override`. Always if the learning rate is unknown.
 */
export function replayOf(recording: Recording, options: ReplayOptions): Replay {
  const { optimizer: asked, given, override } = options;
  const { paths, stepNumbers } = recording;
  const remarks: string[] = [];
  const way = override === undefined ? "" : " (or --override)";
  const refuse = (expected: string, found: string, remark: string) => {
    if (!override) throw new InputError(paths.updates, expected + way, found);
    remarks.push(remark);
  };

  const byFile = new Map<string, RecordedOptimizer>();
  const stated = (tensor: string, i: number): RecordedOptimizer => {
    const file = recording.stepFiles.get(tensor)![i];
    const known = byFile.get(file) ?? recordedOptimizer(recording.metadata.files.get(file)!, file);
    byFile.set(file, known);
    return known;
  };
  const first = stated(recording.tensors[0].name, 0);
  const optimizer = asked ?? first.known ?? "adamw";
  expectOptimizerSettings(optimizer, { lr: 0, ...given });
  if (first.known !== null && first.known !== optimizer && first.also !== optimizer) {
    const remark = `the gradients recorded with ${first.name} are replayed with ${optimizer}`;
    refuse(
      `--optimizer ${first.known}, as the recording is of ${first.name}`,
      `--optimizer ${optimizer}`,
      remark,
    );
  }
  if (first.known === null && first.name !== null) {
    const remark = `the gradients recorded with ${first.name} are replayed with ${optimizer}`;
    refuse("an optimizer with recipes", `the gradients of ${quote(first.name)}`, remark);
  }
  expectNoGap(stepNumbers, refuse);

  let isStated = false;
  const settingsAt = (tensor: string, i: number): OptimizerSettings => {
    const statedOptimizer = stated(tensor, i);
    const recorded = statedOptimizer.settings(tensor);
    if (Object.keys(recorded).length > 0) isStated = true;
    const beyond = statedOptimizer.beyondRecipes(tensor);
    const file = recording.stepFiles.get(tensor)![i];
    if (beyond !== null && !override) {
      throw new InputError(file, `an optimizer with recipes${way}`, `one with ${beyond}`);
    }
    const key = override ? undefined : contradiction(optimizer, recorded, given);
    if (key !== undefined) {
      const told = `as was recorded of ${quote(tensor)} at step ${stepNumbers[i]}`;
      throw new InputError(
        file,
        `${flags[key]} ${recorded[key]}, ${told}${way}`,
        `${flags[key]} ${given[key]}`,
      );
    }
    const settings = override ? { ...recorded, ...given } : { ...given, ...recorded };
    const { lr } = settings;
    if (lr === undefined) throw new InputError(file, "a recorded learning rate, or --lr", "neither");
    const wrong = refusedSetting(optimizer, { ...settings, lr });
    if (wrong) throw new InputError(file, wrong.expected, wrong.found);
    const full = { ...settings, lr };
    return {
      lr,
      betas: betasOf(optimizer, full),
      eps: settings.eps ?? defaultEps,
      weightDecay: settings.weightDecay ?? 0,
    };
  };
  const settingsOf = recording.tensors.map(({ name }) => stepNumbers.map((_, i) => settingsAt(name, i)));
  const start = startOf(recording, optimizer, first, refuse);
  const tensors = recording.tensors.map(
    (tensor, i): TensorInput => ({ ...tensor, optimizer: { settings: settingsOf[i], ...start(tensor) } }),
  );
  const settings = tensors[0].optimizer!.settings[0];
  return { optimizer, tensors, settings, isStated, remarks };
}

type Refuse = (expected: string, found: string, remark: string) => void;

function expectNoGap(stepNumbers: readonly number[], refuse: Refuse): void {
  const gap = stepNumbers.findIndex((step, i) => i > 0 && step !== stepNumbers[i - 1] + 1);
  if (gap < 0) return;
  const [first, last] = [stepNumbers[0], stepNumbers[stepNumbers.length - 1]];
  const missing = stepNumbers[gap - 1] + 1;
  refuse(
    `gradients of every step from ${first} to ${last}, as the moments need them all`,
    `none of step ${missing}`,
    `step ${missing} is missing: the optimizer goes on without it`,
  );
}

/** A given setting that contradicts the recorded one. */
function contradiction(
  optimizer: OptimizerName,
  recorded: StepSettings,
  given: StepSettings,
): keyof StepSettings | undefined {
  // SGD does not use the second beta.
  const text = (stepSettings: StepSettings, key: keyof StepSettings) =>
    String(key === "betas" && optimizer === "sgd" ? stepSettings.betas?.[0] : stepSettings[key]);
  return keys.find(
    (key) =>
      recorded[key] !== undefined && given[key] !== undefined && text(recorded, key) !== text(given, key),
  );
}

/** The state of each tensor before the first step. */
function startOf(
  { moments, stepNumbers }: Recording,
  optimizer: OptimizerName,
  { isFresh, name }: RecordedOptimizer,
  refuse: Refuse,
): (tensor: TensorInput) => RecordedMoments {
  if (moments !== null) {
    if (/^optimi\./.test(name ?? "")) {
      const expected = "moments as torch keeps them";
      throw new InputError(
        moments.path,
        expected,
        `those of ${name}, which are divided by their bias corrections`,
      );
    }
    if (optimizer === "adafactor")
      throw new InputError(
        moments.path,
        "no moments, as those of Adafactor are means of rows and columns",
        "some",
      );
    const needed: readonly MomentKind[] = ["adamw", "adam"].includes(optimizer) ? ["M", "V"] : ["M"];
    return (tensor) => momentsOf(tensor, moments, needed);
  }
  const [first] = stepNumbers;
  // Steps are counted from 0 or 1.
  if (isFresh === false || (isFresh === null && first > 1)) {
    const why = isFresh === null ? "" : ", as the optimizer's state was not empty";
    refuse(
      `moments.safetensors with the moments before step ${first}${why}: record them too`,
      "none",
      `the moments before step ${first} were not recorded, and are taken as zero`,
    );
  }
  return () => ({ moments: {}, stepsTaken: 0 });
}
