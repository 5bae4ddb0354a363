import type { Ability, Distance, LearnRun, LearnStep } from "../lens/learning.js";
import { Evaluator, passAt, passAtAll } from "./evaluate.js";
import { operands } from "./task.js";
import { type Models, Training, type TrainingSettings } from "./training.js";

/** Prompts that the base answers right less often than this are hard. */
const hardBelow = 0.1;

export interface LearnOptions {
  readonly steps: number;
  /** Whether to compute KL, which takes five times as long as three hundred steps. */
  readonly divergence: boolean;
  /** Awaited often; told how many of so many units of work are done in this run. */
  readonly pause: (done: number, total: number) => Promise<void>;
  /** Given the training after each step. */
  readonly observe?: (training: Training) => void;
}

const firstOperands = Array.from({ length: operands }, (_, a) => a);
/** A first operand of KL in units of a step (measured). */
const stepsAnOperand = 15;

/** Trains models from one base, and tells what they learned. */
export class Learning {
  readonly #models: Models;
  readonly #evaluator: Evaluator;
  readonly #rightOfBase: Float64Array;

  private constructor(models: Models, evaluator: Evaluator) {
    this.#models = models;
    this.#evaluator = evaluator;
    this.#rightOfBase = evaluator.rightAnswers(models.base);
  }

  static async open(models: Models): Promise<Learning> {
    return new Learning(models, await Evaluator.open());
  }

  /** What multiplies matrices. */
  get arithmetic(): string {
    return this.#evaluator.arithmetic;
  }

  /** Trains one model to its end. */
  async run(settings: TrainingSettings, options: LearnOptions): Promise<LearnRun> {
    const { steps, divergence, pause } = options;
    const total = steps + (divergence ? operands * stepsAnOperand : 0);
    const training = await Training.open(settings, this.#models);
    const reports: LearnStep[] = [];
    while (training.step < steps) {
      reports.push(await training.advance());
      options.observe?.(training);
      await pause(training.step, total);
    }
    const { totals, end } = await training.count();
    const distance = divergence
      ? await this.#distance(training.weights, (done) => pause(steps + done * stepsAnOperand, total))
      : { klForward: null, klReverse: null, klLeftOut: null };
    return {
      ...identityOf(settings),
      base: this.#ability(this.#rightOfBase),
      outcome: { ...this.#ability(this.#evaluator.rightAnswers(training.weights)), ...distance },
      totals,
      end,
      steps: reports,
    };
  }

  async #distance(model: ArrayLike<number>, pause: (done: number) => Promise<void>): Promise<Distance> {
    const { base } = this.#models;
    const found = await this.#evaluator.divergence(base, model, firstOperands, pause);
    return { klForward: found.forward, klReverse: found.reverse, klLeftOut: found.leftOut };
  }

  #ability(right: Float64Array): Ability {
    const hard = right.filter((_, i) => this.#rightOfBase[i] < hardBelow);
    return { passAt: passAtAll(right), hardPrompts: { prompts: hard.length, passAt1: passAt(hard, 1) } };
  }
}

/** What tells a run from another. */
export function identityOf({ run, storage, lr }: TrainingSettings) {
  const { format, scheme, rounding, opmath, seed } = storage;
  return { run, format: format.name, scheme, rounding, opmath, lr, seed };
}
