import { format } from "../format/registry.js";
import { type Distribution, drawFrom, gaussian } from "./distribution.js";
import { cosPi } from "./elementary.js";
import { quantileDraw } from "./quantiles.js";
import { intended } from "./recipe/intended.js";
import type { OptimizerSettings } from "./recipe/recipe.js";
import { RecipeStep } from "./recipe/recipe-step.js";
import { randomBits, stepKey, tensorKey, type Words } from "./threefry.js";

/** The learning rate schedule after the peak; a warm-up first rises linearly to the peak. */
export const schedules = ["constant", "linear", "cosine"] as const;
export type Schedule = (typeof schedules)[number];

/**
 * A training run with drawn gradients: scale (z + snr d), where z is fresh noise of variance 1 in every step
 * and d a standard normal number fixed per weight. AdamW processes them like torch in fp32.
 */
export interface SimulatedRun {
  /** `lr` is the peak. */
  readonly optimizer: OptimizerSettings;
  readonly schedule: Schedule;
  readonly warmup: number;
  /** Steps of the whole run, at which the schedule ends. */
  readonly steps: number;
  readonly noise: Distribution;
  /** Signal-to-noise ratio of one gradient of one weight. */
  readonly snr: number;
  readonly seed: number;
}

/** A tensor of the run. */
export interface SimulatedTensor {
  readonly run: SimulatedRun;
  readonly name: string;
  /** Root mean square of its gradients' noise, after clipping. AdamW sees it only through epsilon. */
  readonly gradientScale: number;
}

/** Beyond any step number, so the signal's key is unique. */
const signalStep = 2 ** 32 - 2;

const fp32 = format("fp32");
const { fround } = Math;

/** The learning rate of step t, counted from 1. */
export function learningRate({ optimizer, schedule, warmup, steps }: SimulatedRun, t: number): number {
  if (t <= warmup) return (optimizer.lr * t) / warmup;
  const gone = (t - warmup - 1) / Math.max(1, steps - warmup);
  if (schedule === "linear") return optimizer.lr * (1 - gone);
  if (schedule === "cosine") return optimizer.lr * 0.5 * (1 + cosPi(gone));
  return optimizer.lr;
}

/** The key of a step's noise. */
export function noiseKey({ run, name }: SimulatedTensor, t: number): Words {
  return stepKey(tensorKey(run.seed, name), t);
}

/** The key of the signal. */
export function signalKey({ run, name }: SimulatedTensor): Words {
  return stepKey(tensorKey(run.seed, name), signalStep);
}

/** The constant part of a weight's gradient, in units of the noise. */
export function signalOf({ run }: SimulatedTensor, key: Words, element: number): number {
  return fround(fround(run.snr) * drawFrom(gaussian, randomBits(key, element, quantileDraw)));
}

/** The gradient of a weight in a step, from its signal. */
export function gradientOf(
  { run, gradientScale }: SimulatedTensor,
  key: Words,
  element: number,
  signal: number,
): number {
  const noise = drawFrom(run.noise, randomBits(key, element, quantileDraw));
  return fround(fround(gradientScale) * fround(noise + signal));
}

/** AdamW's step in fp32, as an update separate from the weight; see {@link intended}. */
export class AdamwStep {
  readonly #run: SimulatedRun;
  readonly #step: RecipeStep;
  readonly #register: Readonly<Record<"lr" | "g" | "M" | "V" | "P" | "u", number>>;

  constructor(run: SimulatedRun) {
    this.#run = run;
    this.#step = new RecipeStep(intended({ optimizer: "adamw" }), run.optimizer, fp32, () => 0);
    const register = (name: string) => this.#step.register(name);
    this.#register = {
      lr: register("lr"),
      g: register("g"),
      M: register("M"),
      V: register("V"),
      P: register("P"),
      u: register("u"),
    };
  }

  /** Prepares step t, counted from 1. */
  begin(t: number): void {
    this.#step.registers[this.#register.lr] = learningRate(this.#run, t);
    this.#step.begin(t);
  }

  /** A number that {@link begin} computed, by its name in the recipe. */
  scalar(name: string): number {
    return this.#step.registers[this.#step.register(name)];
  }

  /** The update of weight i; its moments are replaced. */
  apply(i: number, gradient: number, weight: number, m: Float32Array, v: Float32Array): number {
    const { registers } = this.#step;
    const { g, M, V, P, u } = this.#register;
    registers[g] = gradient;
    registers[M] = m[i];
    registers[V] = v[i];
    registers[P] = weight;
    this.#step.apply();
    m[i] = registers[M];
    v[i] = registers[V];
    return registers[u];
  }
}

/** A run of consecutive elements of a simulated tensor, taken through the run step by step. */
export class SimulatedChunk {
  readonly #of: SimulatedTensor;
  readonly #start: number;
  readonly #step: AdamwStep;
  /** The current weights of the fp32 run, to which weight decay applies. */
  readonly #weights: Float32Array;
  readonly #signal: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
  /** Steps taken. */
  t = 0;

  /** @param weights the initial ones, from element `start`; retained and modified. */
  constructor(tensor: SimulatedTensor, start: number, weights: Float32Array) {
    this.#of = tensor;
    this.#start = start;
    this.#step = new AdamwStep(tensor.run);
    this.#weights = weights;
    this.m = new Float32Array(weights.length);
    this.v = new Float32Array(weights.length);
    const key = signalKey(tensor);
    this.#signal =
      tensor.run.snr === 0
        ? new Float32Array(weights.length)
        : Float32Array.from(weights, (_, i) => signalOf(tensor, key, start + i));
  }

  /** The updates of the next step. */
  step(into: Float32Array | Float64Array): void {
    this.t += 1;
    this.#step.begin(this.t);
    const key = noiseKey(this.#of, this.t);
    for (let i = 0; i < into.length; i++) {
      const gradient = gradientOf(this.#of, key, this.#start + i, this.#signal[i]);
      const update = this.#step.apply(i, gradient, this.#weights[i], this.m, this.v);
      this.#weights[i] += update;
      into[i] = update;
    }
  }
}
