import type { Geometry } from "../geometry-result.js";
import type { End, Totals } from "../run/case.js";

/** Ways to train further: GRPO on exact-match reward, cross-entropy on right answers, on-policy distillation. */
export const learningRuns = ["rlvr", "sft", "opd"] as const;
export type LearningRun = (typeof learningRuns)[number];

/** One step as it was taken. */
export interface LearnStep {
  /** Counted from 1. */
  readonly step: number;
  readonly loss: number;
  /** The share of right answers among those that were drawn; null where none are, under sft. */
  readonly reward: number | null;
  readonly none: number;
  readonly lost: number;
  readonly kept: number;
  readonly moved: number;
  readonly nonfinite: number;
}

/** The result of `learn`: models trained with several kinds of storage, and their evaluation. */
export interface LearnResult {
  readonly schema: "precision-lens-learn/1";
  readonly tool: { readonly name: "precision-lens"; readonly version: string };
  readonly input: LearnInput;
  readonly settings: {
    readonly steps: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weightDecay: number;
    /** Gradients are scaled to this norm where they are longer. */
    readonly clip: number;
    /** Prompts over which KL was computed; 0 where it was not asked for. */
    readonly klPrompts: number;
  };
  /** What multiplied matrices; all give the same bits. */
  readonly arithmetic: string;
  readonly runs: readonly LearnRun[];
}

export interface LearnInput {
  /** Which of the bases that come with the tool. */
  readonly base: string;
  readonly task: string;
  readonly prompts: number;
  readonly tensors: number;
  readonly elements: number;
}

export interface LearnRun {
  readonly run: LearningRun;
  readonly format: string;
  readonly scheme: string;
  readonly rounding: string;
  readonly opmath: string;
  readonly lr: number;
  readonly seed: number;
  readonly base: Ability;
  readonly outcome: Ability & Distance;
  /** Tasks that the base knows and that were not trained; empty for a base that knows one. */
  readonly heldOut: readonly {
    readonly name: string;
    readonly base: Pick<Ability, "passAt">;
    readonly outcome: Pick<Ability, "passAt">;
  }[];
  readonly totals: Totals;
  readonly end: End;
  /** Where it was asked for: how what is stored changed from the first step to the last. */
  readonly geometry?: Geometry;
  readonly steps: readonly LearnStep[];
}

/** A model's evaluation over all prompts. */
export interface Ability {
  /** By k: the probability that one of k answers is right, of all answers that can be drawn. */
  readonly passAt: Readonly<Record<string, number>>;
  /** The prompts that the base answers right less than one time in ten: how many, and pass@1 on them; null where there are none. */
  readonly hardPrompts: { readonly prompts: number; readonly passAt1: number | null };
}

/** How far a model is from its base. */
export interface Distance {
  /** KL(base || model) and KL(model || base) of whole answers, in nats, means over prompts; null where they were not asked for. */
  readonly klForward: number | null;
  readonly klReverse: number | null;
  /**
   * The probability that an answer has a sign among its first two tokens; such answers are compared only up
   * to it.
   */
  readonly klLeftOut: number | null;
}
