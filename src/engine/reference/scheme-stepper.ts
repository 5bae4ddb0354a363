import { startState } from "../../update/apply.js";
import { type Arithmetic, storageArithmetic } from "../../update/arithmetic.js";
import { type Scheme, schemes } from "../../update/scheme.js";
import type { UpdateSettings } from "../../update/settings.js";
import type { Chunk } from "../chunk-lens.js";
import { ElementBits } from "./element-bits.js";
import type { Outcome, Stepper } from "./stepper.js";

/** Applies recorded updates by a scheme. In every scheme fp32 holds stored weights and carriers. */
export class SchemeStepper implements Stepper {
  readonly #settings: UpdateSettings;
  readonly #scheme: Scheme;
  readonly #bits: ElementBits;
  readonly #arithmetic: Arithmetic;
  weights = new Float32Array(0);
  carriers = new Float32Array(0);

  constructor(settings: UpdateSettings) {
    this.#settings = settings;
    this.#scheme = schemes[settings.scheme];
    this.#bits = new ElementBits(settings.seed);
    this.#arithmetic = storageArithmetic(settings, () => this.#bits.next());
  }

  begin(chunk: Chunk): void {
    this.#bits.begin(chunk);
    this.weights = new Float32Array(chunk.weights.length);
    this.carriers = new Float32Array(chunk.weights.length);
    for (let i = 0; i < chunk.weights.length; i++) {
      const { weight, carrier } = startState(chunk.weights[i], this.#settings);
      this.weights[i] = weight;
      this.carriers[i] = carrier;
    }
  }

  beginStep(step: number): void {
    this.#bits.beginStep(step);
  }

  step(i: number, update: number): Outcome {
    this.#bits.seek(i);
    const before = { weight: this.weights[i], carrier: this.carriers[i] };
    const after = this.#scheme.step(before, update, this.#arithmetic);
    this.weights[i] = after.weight;
    this.carriers[i] = after.carrier;
    return { before, after, update };
  }
}
