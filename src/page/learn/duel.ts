import { parameterCount, parameters } from "../../learn/decoder/shape.js";
import { Evaluator, passAt } from "../../learn/evaluate.js";
import { Training } from "../../learn/training.js";
import type { Case } from "../../lens/run/case.js";
import { openSafetensors } from "../../source/safetensors/stored-tensor.js";
import { updateSettings } from "../../update/settings.js";
import type { Storage } from "../tensor/lens-run.js";

export interface DuelSettings extends Storage {
  readonly lr: number;
  readonly seed: number;
}

/** One of the two models, as the page shows it. */
export interface Learner {
  /** Shares of right answers in the steps since the last frame. */
  readonly rewards: readonly number[];
  /** Of all updates so far. */
  readonly counted: Pick<Case, "totals" | "end" | "rounding">;
}

export interface DuelFrame {
  readonly step: number;
  /** Stored as chosen, and with an fp32 master. */
  readonly learners: readonly [Learner, Learner];
}

/** pass@1 over all prompts. */
export interface DuelOutcome {
  readonly base: number;
  readonly learners: readonly [number, number];
}

/** Two models learn from one base by GRPO, side by side: one stored as chosen, one as bf16 with an fp32 master. */
export class Duel {
  readonly #base: Float32Array;
  readonly #trainings: readonly [Training, Training];

  private constructor(base: Float32Array, trainings: readonly [Training, Training]) {
    this.#base = base;
    this.#trainings = trainings;
  }

  /** @param file the base as a safetensors file. */
  static async open({ lr, seed, ...storage }: DuelSettings, file: Uint8Array): Promise<Duel> {
    const base = await modelIn(file);
    const open = (of: Storage) => {
      const settings = { run: "rlvr", lr, storage: updateSettings({ ...of, seed }) } as const;
      return Training.open(settings, { base, teacher: base });
    };
    const master: Storage = { format: "bf16", scheme: "master", rounding: "nearest-even" };
    return new Duel(base, [await open(storage), await open(master)]);
  }

  async advance(steps: number): Promise<DuelFrame> {
    const learners: Learner[] = [];
    for (const training of this.#trainings) {
      const rewards: number[] = [];
      for (let i = 0; i < steps; i++) rewards.push((await training.advance()).reward!);
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
    return { base: first(this.#base), learners: [first(chosen.weights), first(master.weights)] };
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
