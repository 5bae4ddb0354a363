import { format } from "../../format/registry.js";
import { round } from "../../format/round.js";
import { drawFrom, gaussian } from "../../update/distribution.js";
import { randomBits, stepKey, tensorKey, type Words } from "../../update/threefry.js";
import { lensPicture } from "./picture.js";

/** A training run on one square matrix. */
export interface TrainingSettings {
  readonly side: number;
  /** The standard deviation of the Gaussian weights. */
  readonly sigma: number;
  readonly lr: number;
  readonly betas: readonly [number, number];
  /** The amplitude of the picture in a gradient relative to noise of size 1; 0: noise only. */
  readonly signal: number;
  readonly seed: number;
}

/** The name that keys the random bits. */
export const tensorName = "page";

/** More steps than any run has, so that the weights' key differs from those of all steps. */
const weightStep = 2 ** 32 - 1;
const eps = 1e-8;
const bf16 = format("bf16");

/** The weights before the first step: bf16 numbers, as when fine-tuning starts from a bf16 checkpoint. */
export function startWeights({ side, sigma, seed }: TrainingSettings): Float64Array {
  const key = stepKey(tensorKey(seed, tensorName), weightStep);
  return Float64Array.from({ length: side * side }, (_, i) =>
    round(Math.fround(sigma * drawFrom(gaussian, randomBits(key, i, 0))), bf16),
  );
}

/**
 * AdamW in fp32 on gradients of noise and a faint picture: u = -lr m' / (sqrt v' + eps). A loop over typed arrays,
 * because a quarter of a million weights must take thirty steps per second; the library's recipes, which reproduce the
 * bits of one framework, are thirty times slower. Every operation is wrapped in `fround`, which lets JavaScript engines
 * compute in fp32 (twice as fast, measured).
 */
export class Training {
  readonly settings: TrainingSettings;
  readonly #key: Words;
  readonly #picture: Float32Array;
  readonly #m: Float32Array;
  readonly #v: Float32Array;
  /** The number of steps taken. */
  t = 0;

  constructor(settings: TrainingSettings) {
    const length = settings.side ** 2;
    this.settings = settings;
    this.#key = tensorKey(settings.seed, tensorName);
    this.#picture = Float32Array.from(lensPicture(settings.side), (sign) => sign * settings.signal);
    this.#m = new Float32Array(length);
    this.#v = new Float32Array(length);
  }

  /** Writes the updates of the next step. */
  step(into: Float32Array): void {
    this.t += 1;
    const { lr, betas } = this.settings;
    const [m, v, signal] = [this.#m, this.#v, this.#picture];
    const root = Math.sqrt(1 - betas[1] ** this.t);
    const [a, b] = [fround(1 - betas[0]), fround(1 - betas[1])];
    // -lr / (1 - b1^t) m / (sqrt v / root + eps), with one division.
    const size = fround((-lr * root) / (1 - betas[0] ** this.t));
    const floor = fround(eps * root);
    const [low, high] = stepKey(this.#key, this.t);
    for (let i = 0; i < into.length; i += 2) {
      const word = mixed(mixed(i ^ low) ^ high);
      for (let j = i; j < i + 2; j++) {
        const noise = noiseTable[j === i ? word & 0xffff : word >>> 16];
        // A gradient points in the direction of larger loss.
        const gradient = fround(noise - signal[j]);
        const mean = fround(m[j] + fround(a * fround(gradient - m[j])));
        const square = fround(v[j] + fround(b * fround(fround(gradient * gradient) - v[j])));
        m[j] = mean;
        v[j] = square;
        into[j] = fround(fround(size * mean) / fround(fround(Math.sqrt(square)) + floor));
      }
    }
  }
}

const { fround } = Math;

/**
 * Chris Wellons' integer hash lowbias32, random enough for a picture. Threefry, which is better, takes longer than the
 * rest of a step (measured).
 */
function mixed(word: number): number {
  let x = word ^ (word >>> 16);
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return x ^ (x >>> 16);
}

/** The quantiles of the standard normal distribution at the midpoints of 2^16 equal intervals. */
const noiseTable = Float32Array.from({ length: 2 ** 16 }, (_, i) =>
  drawFrom(gaussian, i * 2 ** 16 + 2 ** 15),
);
