import { type Distribution, drawFrom } from "./distribution.js";
import { threefry2x32, type Words } from "./threefry.js";

/** Equally likely values of the table: both signs. */
const tableLength = 2 ** 14;
/** Independent optimizers, and samples of each: 2^18 in all, 32 for each value of one sign. */
const chains = 8;
const samplesOfChain = 2 ** 15;
/** Steps between samples, since consecutive ones are correlated. */
const stride = 16;
/** Steps before the first sample of a chain, at most. */
const mostSettling = 2 ** 16;

/** The longest momentum that the samples support: it lasts 1,000 of 2^22 steps. */
export const longestMomentum = 0.999;

/**
 * Quantiles of m / sqrt(v), Adam's stationary distribution on noise, times a learning rate: updates for a
 * single step, without simulating the steps before it. Simulated with fp64 + - * / and sqrt on fixed random
 * numbers, so the table is the same everywhere. fp32 numbers, ascending, symmetric about zero.
 *
 * Updates drawn from it are independent from step to step, which Adam's are not: shares of a single step hold, but
 * over many steps they wander less far, by sqrt((1 - b1) / (1 + b1)).
 *
 * @throws RangeError for b1 above {@link longestMomentum}.
 */
export function steadyStateUpdates(
  lr: number,
  [b1, b2]: readonly [number, number],
  noise: Distribution,
): Float32Array {
  if (!(b1 <= longestMomentum)) throw new RangeError(`settled updates need b1 of at most ${longestMomentum}`);
  const magnitudes = settledMagnitudes(b1, b2, noise);
  const half = magnitudes.length;
  const table = new Float32Array(2 * half);
  for (let i = 0; i < half; i++) {
    table[half + i] = lr * magnitudes[i];
    table[half - 1 - i] = -table[half + i];
  }
  return table;
}

/** Cached by noise and betas: a run needs it at several learning rates. */
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
    // A power of two, so the division is exact.
    const ofValue = sorted.length / means.length;
    for (let j = 0; j < sorted.length; j++) means[Math.floor(j / ofValue)] += sorted[j];
    for (let i = 0; i < means.length; i++) means[i] /= ofValue;
    ofNoise.set(key, means);
  }
  return means;
}

/**
 * |m| / sqrt(v) of each chain, after as many steps as it takes to forget the start, which is near: both means are
 * right in it. Beyond {@link mostSettling} nothing is left to forget: the standard deviation of a v that remembers so
 * long is less than 0.01 for normal noise.
 */
function sampleMagnitudes(b1: number, b2: number, noise: Distribution): Float64Array {
  const samples = new Float64Array(chains * samplesOfChain);
  const settled = Math.min(mostSettling, Math.ceil(5 / (1 - Math.max(b1, b2))));
  const steps = settled + stride * samplesOfChain;
  let taken = 0;
  for (let chain = 0; chain < chains; chain++) {
    let m = 0;
    let v = 1;
    const random = xorshift128(threefry2x32([chain, 0], [0, 0]));
    for (let t = 1; t <= steps; t++) {
      const gradient = drawFrom(noise, random());
      m = b1 * m + (1 - b1) * gradient;
      v = b2 * v + (1 - b2) * gradient * gradient;
      if (t > settled && (t - settled) % stride === 0) samples[taken++] = Math.abs(m) / Math.sqrt(v);
    }
  }
  return samples;
}

/**
 * 32 random bits per call, sequentially (Marsaglia, Journal of Statistical Software 8(14), 2003). No random
 * access is needed here, and it is 20 times as fast as counter-based bits.
 */
function xorshift128([a, b]: Words): () => number {
  let [x, y, z, w] = [a, b, 0x1f123bb5, 0x159a55e5];
  return () => {
    const t = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
    return w >>> 0;
  };
}
