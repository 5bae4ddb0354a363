import type { Geometry } from "../lens/geometry-result.js";
import type { Ability, Distance, LearnRun, LearnStep } from "../lens/learning/learning.js";
import { Evaluator, passAt, passAtAll } from "./evaluate.js";
import { type Operation, operands } from "./task.js";
import { type Models, Training, type TrainingSettings } from "./training.js";

/** Prompts that the base answers correctly less often than this are hard. */
const hardBelow = 0.1;

export interface LearnOptions {
  readonly steps: number;
  /** KL is computed over the prompts with these first operands: a hundred each, a tenth of a second or more. */
  readonly divergence: readonly number[];
  /** Awaited often; receives the units of work done and their total in this run. */
  readonly pause: (done: number, total: number) => Promise<void>;
  /** Given the training after each step. */
  readonly observe?: (training: Training) => void;
  /** Measures how all parameters changed, as they are stored before the first step and after the last. */
  readonly geometry?: (
    start: Float32Array,
    end: Float32Array,
    settings: TrainingSettings,
  ) => Promise<Geometry>;
}

/** All first operands, and a tenth of them that has every digit once in either place. */
export const firstOperands = {
  all: Array.from({ length: operands }, (_, a) => a),
  sample: Array.from({ length: 10 }, (_, i) => 10 * i + ((i + 3) % 10)),
} as const;
/** A first operand of KL in units of a step (measured). */
const stepsAnOperand = 15;

/** Trains models from one base and evaluates them. */
export class Learning {
  readonly #models: Models;
  readonly #evaluator: Evaluator;
  readonly #rightOfBase: Float64Array;
  readonly #heldOut: readonly { readonly operation: Operation; readonly base: Float64Array }[];

  private constructor(models: Models, evaluator: Evaluator, heldOut: readonly Operation[]) {
    this.#models = models;
    this.#evaluator = evaluator;
    this.#rightOfBase = evaluator.rightAnswers(models.base);
    this.#heldOut = heldOut.map((operation) => ({
      operation,
      base: evaluator.rightAnswers(models.base, operation),
    }));
  }

  /** @param heldOut operations that the base knows and that are not trained. */
  static async open(models: Models, heldOut: readonly Operation[] = []): Promise<Learning> {
    return new Learning(models, await Evaluator.open(), heldOut);
  }

  /** What multiplies matrices. */
  get arithmetic(): string {
    return this.#evaluator.arithmetic;
  }

  /** Trains one model to its end. */
  async run(settings: TrainingSettings, options: LearnOptions): Promise<LearnRun> {
    const { steps, divergence, pause } = options;
    const total = steps + divergence.length * stepsAnOperand;
    const training = await Training.open(settings, this.#models);
    const start = training.weights.slice();
    const reports: LearnStep[] = [];
    while (training.step < steps) {
      reports.push(await training.advance());
      options.observe?.(training);
      await pause(training.step, total);
    }
    const { totals, end } = await training.count();
    const distance = await this.#distance(training.weights, divergence, (done) =>
      pause(steps + done * stepsAnOperand, total),
    );
    return {
      ...identityOf(settings),
      base: this.#ability(this.#rightOfBase),
      outcome: { ...this.#ability(this.#evaluator.rightAnswers(training.weights)), ...distance },
      heldOut: this.#heldOut.map(({ operation, base }) => ({
        name: operation.name,
        base: { passAt: passAtAll(base) },
        outcome: { passAt: passAtAll(this.#evaluator.rightAnswers(training.weights, operation)) },
      })),
      totals,
      end,
      ...(options.geometry && { geometry: await options.geometry(start, training.weights, settings) }),
      steps: reports,
    };
  }

  async #distance(
    model: ArrayLike<number>,
    firsts: readonly number[],
    pause: (done: number) => Promise<void>,
  ): Promise<Distance> {
    if (firsts.length === 0) return { klForward: null, klReverse: null, klLeftOut: null };
    const { base } = this.#models;
    const found = await this.#evaluator.divergence(base, model, firsts, pause);
    return { klForward: found.forward, klReverse: found.reverse, klLeftOut: found.leftOut };
  }

  #ability(right: Float64Array): Ability {
    const hard = right.filter((_, i) => this.#rightOfBase[i] < hardBelow);
    return {
      passAt: passAtAll(right),
      hardPrompts: { prompts: hard.length, passAt1: hard.length === 0 ? null : passAt(hard, 1) },
    };
  }
}

/** The fields that identify a run. */
export function identityOf({ run, storage, lr }: TrainingSettings) {
  const { format, scheme, rounding, opmath, seed } = storage;
  return { run, format: format.name, scheme, rounding, opmath, lr, seed };
}
