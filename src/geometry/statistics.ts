import { exp } from "../update/elementary.js";

export function mean(x: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i];
  return sum / x.length;
}

/** Of all, not of a sample: the root of the mean square from the mean. */
export function deviation(x: ArrayLike<number>): number {
  return Math.sqrt(variance(x));
}

export function variance(x: ArrayLike<number>): number {
  const middle = mean(x);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] - middle) ** 2;
  return sum / x.length;
}

/** Sample standard deviation; 0 for a sample of one. */
export function sampleDeviation(x: readonly number[]): number {
  return x.length < 2 ? 0 : deviation(x) * Math.sqrt(x.length / (x.length - 1));
}

/** Of sorted numbers, linear between them, as numpy's default. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** The probability that a standard Gaussian exceeds x >= 0. Relative error below 1e-9; below 1e-300 it is 0. */
export function gaussianTail(x: number): number {
  // Its exponent is -684: exp is valid from -708 on.
  if (x > 37) return 0;
  const density = exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x < 3) {
    // Q = 1/2 - density (x + x^3/3 + x^5/15 + ...)
    let [term, sum] = [x, x];
    for (let n = 3; term > 1e-17 * sum; n += 2) {
      term *= (x * x) / n;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  // The continued fraction density / (x + 1/(x + 2/(x + ...))).
  let fraction = x;
  for (let n = 60; n > 0; n--) fraction = x + n / fraction;
  return density / fraction;
}

/** Student's t for an interval of 95 %, by degrees of freedom from 1 on. */
const student = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

export function studentT(freedom: number): number {
  return student[freedom - 1] ?? (freedom < 30 ? 2.09 : 1.96);
}
