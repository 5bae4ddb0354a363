import { parameterCount, parameters } from "../../learn/decoder/shape.js";
import { Evaluator, passAt } from "../../learn/evaluate.js";
import { Training } from "../../learn/training.js";
import type { LearningRun } from "../../lens/learning/learning.js";
import type { Case } from "../../lens/run/case.js";
import { openSafetensors } from "../../source/safetensors/stored-tensor.js";
import { updateSettings } from "../../update/settings.js";
import type { Storage } from "../tensor/run.js";

export interface DuelSettings extends Storage {
  readonly run: LearningRun;
  readonly lr: number;
  readonly seed: number;
}

/** The state of one of the two models shown. */
export interface Learner {
  /** Shares of right answers in the steps since the last frame; see Training.right. */
  readonly rewards: readonly number[];
  /** The counts of all updates so far. */
  readonly counted: Pick<Case, "totals" | "end" | "rounding">;
}

export interface DuelFiles {
  readonly base: Uint8Array;
  readonly teacher: Uint8Array | null;
}

export interface DuelFrame {
  readonly step: number;
  /** The model stored as chosen, and the one with an fp32 master. */
  readonly learners: readonly [Learner, Learner];
}

/** pass@1 over all prompts. */
export interface DuelOutcome {
  readonly base: number;
  /** The base in the chosen storage, before the first step: a coarse format changes what the model can do. */
  readonly cast: number;
  readonly learners: readonly [number, number];
}

/** Trains two models from one base: one stored as chosen, one in bf16 with an fp32 master. */
export class Duel {
  readonly #base: Float32Array;
  /** The base as it is stored before the first step. */
  readonly #cast: Float32Array;
  readonly #trainings: readonly [Training, Training];

  private constructor(base: Float32Array, trainings: readonly [Training, Training]) {
    this.#base = base;
    this.#cast = Float32Array.from(trainings[0].weights);
    this.#trainings = trainings;
  }

  /**
   * @param files safetensors files: the base, and the teacher for on-policy distillation.
   */
  static async open({ run, lr, seed, ...storage }: DuelSettings, files: DuelFiles): Promise<Duel> {
    const base = await modelIn(files.base);
    const teacher = files.teacher ? await modelIn(files.teacher) : base;
    const open = (learnerStorage: Storage) =>
      Training.open({ run, lr, storage: updateSettings({ ...learnerStorage, seed }) }, { base, teacher });
    const master: Storage = { format: "bf16", scheme: "master", rounding: "nearest-even" };
    return new Duel(base, [await open(storage), await open(master)]);
  }

  async advance(steps: number): Promise<DuelFrame> {
    const learners: Learner[] = [];
    for (const training of this.#trainings) {
      const rewards: number[] = [];
      for (let i = 0; i < steps; i++) {
        await training.advance();
        rewards.push(training.right);
      }
      const { totals, end, rounding } = await training.count();
      learners.push({ rewards, counted: { totals, end, rounding } });
    }
    const [chosen, master] = learners;
    return { step: this.#trainings[0].step, learners: [chosen, master] };
  }

  async outcome(): Promise<DuelOutcome> {
    const evaluator = await Evaluator.open();
    const first = (model: ArrayLike<number>) => passAt(evaluator.rightAnswers(model), 1);
    const [chosen, master] = this.#trainings;
    const base = first(this.#base);
    // Evaluating takes a second, and the base is stored in bf16: most formats do not change it.
    const cast = this.#cast.every((w, i) => w === this.#base[i]) ? base : first(this.#cast);
    return { base, cast, learners: [first(chosen.weights), first(master.weights)] };
  }
}

async function modelIn(file: Uint8Array): Promise<Float32Array> {
  const { tensors } = await openSafetensors({
    name: "base.safetensors",
    size: file.length,
    read: async (position, into) => into.set(file.subarray(position, position + into.length)),
  });
  const model = new Float32Array(parameterCount);
  for (const { name, at, length } of parameters) {
    await tensors.get(name)!.values!.read(0, model.subarray(at, at + length));
  }
  return model;
}
