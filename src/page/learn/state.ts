import { type Rounding, roundings } from "../../format/round.js";
import { type LearningRun, learningRuns } from "../../lens/learning/learning.js";
import { type SchemeName, schemeNames } from "../../update/scheme.js";
import { choiceField, type Fields, numberField, wholeField } from "../location.js";
import { formatNames } from "../settings.js";

/** The state of the training view in the address. */
export interface LearnState {
  readonly run: LearningRun;
  readonly format: string;
  readonly scheme: SchemeName;
  readonly rounding: Rounding;
  readonly lr: number;
  readonly seed: number;
}

/** pass@1 of the base over all prompts, checked by a test. */
export const baseAbility = 0.6644;

/** The texts for a kind of training, and the base's result on the prompts of the curves. */
export interface TrainingWords {
  readonly label: string;
  readonly about: string;
  /** pass@1 of the base, checked by a test. */
  readonly base: number;
}

export const trainings: Readonly<Record<LearningRun, TrainingWords>> = {
  rlvr: { label: "RL (GRPO)", about: "by GRPO (16 prompts, 8 answers each", base: baseAbility },
  sft: {
    label: "SFT",
    about:
      "on 128 right answers a step to sums of numbers below 60, of which the curves show the chance (cross-entropy",
    base: 0.6741,
  },
  opd: {
    label: "Distillation",
    about: "by on-policy distillation of the model that GRPO made (128 prompts",
    base: baseAbility,
  },
};

export const learnFields: Fields<LearnState> = {
  run: choiceField(learningRuns, "rlvr"),
  format: choiceField(formatNames, "bf16"),
  scheme: choiceField(schemeNames, "in-place"),
  rounding: choiceField(roundings, "nearest-even"),
  lr: numberField(1e-5, 1e-8, 1e-2),
  seed: wholeField(0, 0, 2 ** 32 - 1),
};

export type ChosenInk = "chosen" | "other";

/** The colour of loss is for storage that loses updates: low-precision in-place weights without stochastic rounding. */
export function chosenInk({ format, scheme, rounding }: LearnState): ChosenInk {
  return scheme === "in-place" && rounding !== "stochastic" && format !== "fp32" ? "chosen" : "other";
}

/** The learning rates of the slider. */
export const learnRates: readonly number[] = [-6, -5, -4, -3].flatMap((power) =>
  [1, 2, 3, 5].map((digit) => Number(`${digit}e${power}`)),
);

/** As in the recorded run. */
export const lastStep = 300;

/** Steps averaged per point of a curve: a step has 128 answers, so its share has a deviation of 4 percentage points. */
export const smoothed = 20;

/** The mean of the last steps; null if there are none. */
export function recentMean(rewards: readonly number[], end = rewards.length): number | null {
  const last = rewards.slice(Math.max(0, end - smoothed), end);
  return last.length === 0 ? null : last.reduce((sum, r) => sum + r, 0) / last.length;
}
