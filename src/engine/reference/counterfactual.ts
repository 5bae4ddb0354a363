import { format } from "../../format/registry.js";
import { type RecipeSettings, recipes } from "../../update/optimizer.js";
import type { Chunk } from "../chunk-lens.js";
import { RecipeStepper } from "./recipe-stepper.js";

/** The fp32 run on the same inputs, with which every case is compared at its end. */
export interface Counterfactual {
  /** The given weights, in fp32. */
  readonly start: Float32Array;
  readonly now: Float32Array;
  /** 1 where an update was not zero. */
  readonly updated: Uint8Array;
  begin(chunk: Chunk): void;
  step(inputs: Float32Array, step: number): void;
}

/** For recorded updates: adds each in fp32. */
export class AddedUpdates implements Counterfactual {
  start = new Float32Array(0);
  now = new Float32Array(0);
  updated = new Uint8Array(0);

  begin({ weights }: Chunk): void {
    this.start = Float32Array.from(weights);
    this.now = this.start.slice();
    this.updated = new Uint8Array(weights.length);
  }

  step(updates: Float32Array): void {
    for (let i = 0; i < updates.length; i++) {
      this.now[i] += updates[i];
      if (updates[i] !== 0) this.updated[i] = 1;
    }
  }
}

/** For recorded gradients: runs the optimizer's fp32 recipe with the same settings. */
export class Fp32Recipe implements Counterfactual {
  readonly #stepper: RecipeStepper;
  start = new Float32Array(0);
  updated = new Uint8Array(0);

  constructor(settings: RecipeSettings) {
    const recipe = recipes[settings.recipe.optimizer].get("fp32")!;
    this.#stepper = new RecipeStepper({ ...settings, recipe, format: format("fp32") });
  }

  get now(): Float32Array {
    return this.#stepper.weights;
  }

  begin(chunk: Chunk): void {
    this.#stepper.begin(chunk);
    this.start = this.now.slice();
    this.updated = new Uint8Array(chunk.weights.length);
  }

  step(gradients: Float32Array, step: number): void {
    this.#stepper.beginStep(step, gradients);
    for (let i = 0; i < gradients.length; i++) {
      if (this.#stepper.step(i, gradients[i]).update !== 0) this.updated[i] = 1;
    }
  }
}
