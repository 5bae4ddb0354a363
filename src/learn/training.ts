import type { LearningRun, LearnStep } from "../lens/learning/learning.js";
import type { Case } from "../lens/run/case.js";
import type { UpdateSettings } from "../update/settings.js";
import { AdamwUpdates, clip } from "./adamw.js";
import { answersAStep, drawAnswers, groupSize, rightAnswers, StepDraws } from "./batch.js";
import type { Decoder } from "./decoder/decoder.js";
import { LogShares } from "./decoder/log-shares.js";
import { openDecoder } from "./decoder/open.js";
import { Prefixes } from "./decoder/prefixes.js";
import { paddedVocabulary, parameterCount, vocabulary } from "./decoder/shape.js";
import { type Answered, advantages, distillationLoss, weightedLogLoss } from "./losses.js";
import { StoredModel } from "./stored-model.js";

/** As in the recorded runs. */
export const optimizerSettings = { betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0 } as const;
export const largestNorm = 1;
/** SFT operands are below this, so that the rest of the task is held out. */
export const sftOperands = 60;
/** Learning rates of the recorded runs. */
export const usualRates: Readonly<Record<LearningRun, number>> = { rlvr: 1e-5, sft: 1e-4, opd: 1e-5 };

export interface TrainingSettings {
  readonly run: LearningRun;
  /** How weights are stored; its seed is that of prompts and answers, too. */
  readonly storage: UpdateSettings;
  readonly lr: number;
}

export interface Models {
  /** All parameters before the first step. */
  readonly base: ArrayLike<number>;
  /** Of on-policy distillation. */
  readonly teacher: ArrayLike<number>;
}

/**
 * One model in training, step by step. The forward pass reads the stored weights; gradients, moments and
 * updates are fp32; an engine classifies each update.
 */
export class Training {
  readonly settings: TrainingSettings;
  /** The intended updates of the last step, in the order of `parameters`. */
  readonly updates = new Float32Array(parameterCount);
  /** The clipped gradient of the last step. */
  readonly gradient = new Float32Array(parameterCount);
  #right = 0;
  readonly #prefixes: Prefixes;
  readonly #decoder: Decoder;
  readonly #teacher: Decoder | null;
  readonly #logs: LogShares;
  readonly #teacherLogs: LogShares;
  readonly #optimizer: AdamwUpdates;
  readonly #stored: StoredModel;

  private constructor(
    settings: TrainingSettings,
    prefixes: Prefixes,
    decoder: Decoder,
    teacher: Decoder | null,
    stored: StoredModel,
  ) {
    this.settings = settings;
    this.#prefixes = prefixes;
    this.#decoder = decoder;
    this.#teacher = teacher;
    this.#stored = stored;
    this.#logs = new LogShares(mostRows);
    this.#teacherLogs = new LogShares(teacher ? mostRows : 0);
    this.#optimizer = new AdamwUpdates({ lr: settings.lr, ...optimizerSettings }, parameterCount);
  }

  static async open(settings: TrainingSettings, { base, teacher }: Models): Promise<Training> {
    const prefixes = new Prefixes(mostRows);
    const decoder = await openDecoder(prefixes, { rows: mostRows, trains: true });
    const stored = await StoredModel.open(settings.storage, base);
    const distils = settings.run === "opd";
    const other = distils ? await openDecoder(prefixes, { rows: mostRows, trains: false }) : null;
    other?.setWeights(teacher);
    return new Training(settings, prefixes, decoder, other, stored);
  }

  /** Steps taken. */
  get step(): number {
    return this.#optimizer.t;
  }

  /** All parameters as they are stored now; valid until the next step. */
  get weights(): Float32Array {
    return this.#stored.weights;
  }

  /** Of the last step's 128 answers, the share that is right; under sft, which draws none, the mean chance of the right ones. */
  get right(): number {
    return this.#right;
  }

  /** Takes the next step. */
  async advance(): Promise<LearnStep> {
    const { loss, reward } = this.#lossAndGradient();
    this.gradient.set(this.#decoder.gradient.subarray(0, parameterCount));
    clip(this.gradient, largestNorm);
    this.#optimizer.step(this.gradient, this.updates);
    const { none, lost, kept, moved, nonfinite } = await this.#stored.add(this.updates, this.step);
    return { step: this.step, loss, reward, none, lost, kept, moved, nonfinite };
  }

  /** What became of all updates so far. */
  count(): Promise<Case> {
    return this.#stored.count();
  }

  #lossAndGradient(): { loss: number; reward: number | null } {
    const decoder = this.#decoder;
    const draws = new StepDraws(this.settings.storage.seed, this.step + 1);
    decoder.setWeights(this.#stored.weights);
    const { loss, reward } = this.#loss(draws);
    decoder.backward();
    return { loss, reward };
  }

  /** The loss of a batch; its gradient is that of the logits. */
  #loss(draws: StepDraws): { loss: number; reward: number | null } {
    const [prefixes, decoder, logs] = [this.#prefixes, this.#decoder, this.#logs];
    const { dLogits } = decoder;
    const clear = () => dLogits.fill(0, 0, prefixes.count * paddedVocabulary);
    if (this.settings.run === "sft") {
      const answers = rightAnswers(draws, prefixes, decoder, logs, sftOperands);
      clear();
      this.#right = answers.reduce((sum, answer) => sum + chanceOf(answer, logs), 0) / answers.length;
      const weights = answers.map(() => 1);
      return { loss: weightedLogLoss(answers, weights, logs, dLogits), reward: null };
    }
    const each = this.#teacher ? 1 : groupSize;
    const { answers, right } = drawAnswers(draws, prefixes, decoder, logs, each);
    clear();
    const reward = right.filter((is) => is).length / answersAStep;
    this.#right = reward;
    if (this.#teacher) {
      this.#teacher.forward(0, prefixes.count);
      this.#teacherLogs.read(this.#teacher.logits, 0, prefixes.count);
      return { loss: distillationLoss(answers, logs, this.#teacherLogs, dLogits), reward };
    }
    const groups = Array.from({ length: answersAStep / groupSize }, (_, g) =>
      advantages(right.slice(groupSize * g, groupSize * (g + 1)).map(Number)),
    );
    return { loss: weightedLogLoss(answers, groups.flat(), logs, dLogits), reward };
  }
}

/** How likely a model gives an answer. */
function chanceOf({ rows, tokens }: Answered, { shares }: LogShares): number {
  return tokens.reduce((product, token, i) => product * shares[rows[i] * vocabulary + token], 1);
}

/** Prefixes of a step, if no two texts began alike. */
const mostRows = answersAStep * 8;
