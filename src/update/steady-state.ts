import { type Distribution, drawFrom } from "./distribution.js";
import { randomBits } from "./threefry.js";

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
  const magnitudes = sampleMagnitudes(b1, b2, noise).sort();
  const half = tableLength / 2;
  const ofValue = magnitudes.length / half;
  const table = new Float32Array(tableLength);
  for (let i = 0; i < half; i++) {
    let sum = 0;
    for (let j = i * ofValue; j < (i + 1) * ofValue; j++) sum += magnitudes[j];
    table[half + i] = (lr * sum) / ofValue;
    table[half - 1 - i] = -table[half + i];
  }
  return table;
}

/** |m| / sqrt(v) of each chain, after as many steps as it takes to forget the start. */
function sampleMagnitudes(b1: number, b2: number, noise: Distribution): Float64Array {
  const samples = new Float64Array(chains * samplesOfChain);
  const settled = Math.ceil(5 / (1 - b2));
  let taken = 0;
  for (let chain = 0; chain < chains; chain++) {
    let m = 0;
    // From where it will settle.
    let v = 1;
    for (let t = 1; t <= settled + stride * samplesOfChain; t++) {
      const gradient = drawFrom(noise, randomBits([chain, 0], t, 0));
      m = b1 * m + (1 - b1) * gradient;
      v = b2 * v + (1 - b2) * gradient * gradient;
      if (t > settled && (t - settled) % stride === 0) samples[taken++] = Math.abs(m) / Math.sqrt(v);
    }
  }
  return samples;
}
