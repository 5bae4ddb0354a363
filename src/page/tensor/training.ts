import { format } from "../../format/registry.js";
import { drawFrom, gaussian } from "../../update/distribution.js";
import { stepKey, tensorKey, type Words } from "../../update/threefry.js";
import { type WeightDraws, weightKey } from "../../update/weight-draws.js";
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

const eps = 1e-8;

/** The weights before the first step: bf16 numbers, as when fine-tuning starts from a bf16 checkpoint. */
export function startDraws({ sigma, seed }: TrainingSettings): WeightDraws {
  return {
    distribution: gaussian,
    mean: 0,
    sigma,
    format: format("bf16"),
    key: weightKey(seed, tensorName),
  };
}

/** The fp32 numbers that a step computes with, and its key. */
export interface StepConstants {
  /** u = size m / (sqrt v + floor), by the moments after the step. */
  readonly size: number;
  readonly floor: number;
  /** 1 - b1 and 1 - b2. */
  readonly first: number;
  readonly second: number;
  readonly key: Words;
}

/**
 * -lr / (1 - b1^t) m / (sqrt v / root + eps) with one division.
 *
 * @param t counted from 1.
 */
export function stepConstants({ lr, betas, seed }: TrainingSettings, t: number): StepConstants {
  const root = Math.sqrt(1 - betas[1] ** t);
  return {
    size: fround((-lr * root) / (1 - betas[0] ** t)),
    floor: fround(eps * root),
    first: fround(1 - betas[0]),
    second: fround(1 - betas[1]),
    key: stepKey(tensorKey(seed, tensorName), t),
  };
}

/**
 * AdamW in fp32 on gradients of noise and a faint picture: u = -lr m' / (sqrt v' + eps). A loop over typed arrays,
 * because a quarter of a million weights must take thirty steps per second; the library's recipes, which reproduce the
 * bits of one framework, are thirty times slower. Every operation is wrapped in `fround`, which lets JavaScript engines
 * compute in fp32 (twice as fast, measured). training-kernel.ts computes the same bits on a GPU.
 */
export class Training {
  readonly settings: TrainingSettings;
  readonly #picture: Float32Array;
  readonly #m: Float32Array;
  readonly #v: Float32Array;
  /** The number of steps taken. */
  t = 0;

  constructor(settings: TrainingSettings) {
    const length = settings.side ** 2;
    this.settings = settings;
    this.#picture = Float32Array.from(lensPicture(settings.side), (sign) => sign * settings.signal);
    this.#m = new Float32Array(length);
    this.#v = new Float32Array(length);
  }

  /** Writes the updates of the next step. */
  step(into: Float32Array): void {
    this.t += 1;
    const { size, floor, first, second, key } = stepConstants(this.settings, this.t);
    const [m, v, signal] = [this.#m, this.#v, this.#picture];
    const [low, high] = key;
    for (let i = 0; i < into.length; i += 2) {
      const word = mixed(mixed(i ^ low) ^ high);
      for (let j = i; j < i + 2; j++) {
        const noise = noiseTable[j === i ? word & 0xffff : word >>> 16];
        // A gradient points in the direction of larger loss.
        const gradient = fround(noise - signal[j]);
        const mean = fround(m[j] + fround(first * fround(gradient - m[j])));
        const square = fround(v[j] + fround(second * fround(fround(gradient * gradient) - v[j])));
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
export const noiseTable = Float32Array.from({ length: 2 ** 16 }, (_, i) =>
  drawFrom(gaussian, i * 2 ** 16 + 2 ** 15),
);
