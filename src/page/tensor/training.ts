import { format } from "../../format/registry.js";
import { round } from "../../format/round.js";
import { drawFrom, gaussian } from "../../update/distribution.js";
import { randomBits, stepKey, tensorKey, threefry2x32, type Words } from "../../update/threefry.js";
import { lensPicture } from "./picture.js";

/** A training run on one square matrix. */
export interface TrainingSettings {
  readonly side: number;
  /** Of the Gaussian weights. */
  readonly sigma: number;
  readonly lr: number;
  readonly betas: readonly [number, number];
  /** How strong the picture is in a gradient, against noise of size 1; 0 is noise alone. */
  readonly signal: number;
  readonly seed: number;
}

/** The name that random bits are keyed by. */
export const tensorName = "page";

/** No run has so many steps: the key of the weights is that of no step. */
const weightStep = 2 ** 32 - 1;
const eps = 1e-8;
const bf16 = format("bf16");

/** The weights before the first step: those of a bf16 checkpoint, where fine-tuning begins. */
export function startWeights({ side, sigma, seed }: TrainingSettings): Float64Array {
  const key = stepKey(tensorKey(seed, tensorName), weightStep);
  return Float64Array.from({ length: side * side }, (_, i) =>
    round(Math.fround(sigma * drawFrom(gaussian, randomBits(key, i, 0))), bf16),
  );
}

/**
 * AdamW in fp32 on gradients of noise and a faint picture: u = -lr m' / (sqrt v' + eps), as added. A loop over typed
 * arrays, because a quarter of a million weights have to take thirty steps a second beside everything else; the
 * library's recipes, which give the bits of one framework, are thirty times slower.
 */
export class Training {
  readonly settings: TrainingSettings;
  readonly #key: Words;
  readonly #picture: Int8Array;
  readonly #m: Float32Array;
  readonly #v: Float32Array;
  /** Steps taken. */
  t = 0;

  constructor(settings: TrainingSettings) {
    const length = settings.side ** 2;
    this.settings = settings;
    this.#key = tensorKey(settings.seed, tensorName);
    this.#picture = lensPicture(settings.side);
    this.#m = new Float32Array(length);
    this.#v = new Float32Array(length);
  }

  /** The updates of the next step. */
  step(into: Float32Array): void {
    this.t += 1;
    const { lr, betas, signal } = this.settings;
    const [b1, b2] = betas;
    const [stepSize, root] = [lr / (1 - b1 ** this.t), Math.sqrt(1 - b2 ** this.t)];
    const [m, v, picture] = [this.#m, this.#v, this.#picture];
    const key = stepKey(this.#key, this.t);
    for (let i = 0; i < into.length; i += 4) {
      // 16 bits choose one of 2^16 equally likely numbers: a block of the generator serves four weights.
      const [a, b] = threefry2x32(key, [i / 4, 0]);
      for (let j = 0; j < 4; j++) {
        const word = j < 2 ? a : b;
        const at = i + j;
        const noise = noiseTable[j % 2 === 0 ? word & 0xffff : word >>> 16];
        // A gradient points away from where the loss gets less.
        const gradient = noise - signal * picture[at];
        m[at] += (1 - b1) * (gradient - m[at]);
        v[at] += (1 - b2) * (gradient * gradient - v[at]);
        into[at] = (-stepSize * m[at]) / (Math.sqrt(v[at]) / root + eps);
      }
    }
  }
}

/** The quantiles of the standard normal distribution in the middle of 2^16 equal parts. */
const noiseTable = Float32Array.from({ length: 2 ** 16 }, (_, i) =>
  drawFrom(gaussian, i * 2 ** 16 + 2 ** 15),
);
