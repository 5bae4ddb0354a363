import { type Distribution, drawFrom } from "./distribution.js";
import { threefry2x32 } from "./threefry.js";

/** Equally likely values of the table: both signs. */
const tableLength = 2 ** 14;
/** Independent optimizers, and samples of each: 2^20 in all, 128 for each value of one sign. */
const chains = 128;
const samplesOfChain = 2 ** 13;
/** Steps between samples: neighbours in time are alike. */
const stride = 4;

/**
 * Quantiles of m / sqrt(v), what Adam makes of noise when its moments have settled, times a learning rate: updates by
 * which one step can be drawn without the steps before it. By simulation in + - * / and sqrt of fp64, on random
 * numbers that never change, so that the table is the same everywhere. fp32 numbers, ascending, symmetric about zero.
 *
 * Updates drawn from it are independent from step to step, which Adam's are not: shares of a single step hold, but
 * over many steps they wander less far, by sqrt((1 - b1) / (1 + b1)).
 */
export function steadyStateUpdates(
  lr: number,
  [b1, b2]: readonly [number, number],
  noise: Distribution,
): Float32Array {
  const magnitudes = settledMagnitudes(b1, b2, noise);
  const half = magnitudes.length;
  const table = new Float32Array(2 * half);
  for (let i = 0; i < half; i++) {
    table[half + i] = lr * magnitudes[i];
    table[half - 1 - i] = -table[half + i];
  }
  return table;
}

/** By noise and betas: a run asks more than once, at several learning rates. */
const known = new WeakMap<Distribution, Map<string, Float64Array>>();

/** Equally likely values of |m| / sqrt(v), ascending: means of neighbours among the sorted samples. */
function settledMagnitudes(b1: number, b2: number, noise: Distribution): Float64Array {
  const ofNoise = known.get(noise) ?? new Map<string, Float64Array>();
  known.set(noise, ofNoise);
  const key = `${b1} ${b2}`;
  let means = ofNoise.get(key);
  if (!means) {
    const sorted = sampleMagnitudes(b1, b2, noise).sort();
    means = new Float64Array(tableLength / 2);
    // A power of two, so that the mean is as exact as the sum.
    const ofValue = sorted.length / means.length;
    for (let j = 0; j < sorted.length; j++) means[Math.floor(j / ofValue)] += sorted[j];
    for (let i = 0; i < means.length; i++) means[i] /= ofValue;
    ofNoise.set(key, means);
  }
  return means;
}

/** |m| / sqrt(v) of each chain, after as many steps as it takes to forget the start. */
function sampleMagnitudes(b1: number, b2: number, noise: Distribution): Float64Array {
  const samples = new Float64Array(chains * samplesOfChain);
  const settled = Math.ceil(5 / (1 - b2));
  const steps = settled + stride * samplesOfChain;
  let taken = 0;
  for (let chain = 0; chain < chains; chain++) {
    let m = 0;
    // From where it will settle.
    let v = 1;
    // As randomBits has it, but each block of the generator is made once for its two steps: 0.3 s instead of 0.7.
    for (let pair = 0; 2 * pair <= steps; pair++) {
      const words = threefry2x32([chain, 0], [pair, 0]);
      for (let t = Math.max(1, 2 * pair); t <= Math.min(2 * pair + 1, steps); t++) {
        const gradient = drawFrom(noise, words[t % 2]);
        m = b1 * m + (1 - b1) * gradient;
        v = b2 * v + (1 - b2) * gradient * gradient;
        if (t > settled && (t - settled) % stride === 0) samples[taken++] = Math.abs(m) / Math.sqrt(v);
      }
    }
  }
  return samples;
}
