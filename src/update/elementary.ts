/**
 * fp64 elementary functions from + - * / and sqrt only: the same bits in every JavaScript engine, unlike
 * Math.log, Math.exp and Math.cos. Accurate to about the last place, which suffices for random number tables
 * and learning rate schedules.
 */
import { exponentOf, powerOfTwo } from "../format/float64.js";

const ln2 = Math.LN2;

/** The natural logarithm. Valid for finite x > 0 from 2^-1022 on. */
export function log(x: number): number {
  let exponent = exponentOf(x);
  let significand = x / powerOfTwo(exponent);
  if (significand > Math.SQRT2) {
    significand /= 2;
    exponent += 1;
  }
  // 2 atanh(s), |s| <= 0.172: the twelfth term is below 2^-53.
  const s = (significand - 1) / (significand + 1);
  let sum = 0;
  for (let n = 23; n >= 1; n -= 2) sum = sum * s * s + 1 / n;
  return exponent * ln2 + 2 * s * sum;
}

/** e^x, with relative error 10^-14 for |x| < 50 and 10^-12 for |x| < 708, for which it is valid. */
export function exp(x: number): number {
  const exponent = Math.round(x / ln2);
  const rest = x - exponent * ln2;
  let sum = 1;
  for (let n = 18; n >= 1; n--) sum = 1 + (rest / n) * sum;
  return sum * powerOfTwo(exponent);
}

/** cos(pi x). Valid for 0 <= x <= 1. */
export function cosPi(x: number): number {
  // Expanded at the nearer of 0 and 1/2, where the series converges fast.
  if (x > 0.5) return -cosPi(1 - x);
  const angle = Math.PI * (x > 0.25 ? 0.5 - x : x);
  const square = angle * angle;
  let sum = 1;
  if (x > 0.25) {
    for (let n = 20; n >= 2; n -= 2) sum = 1 - (square / (n * (n + 1))) * sum;
    return angle * sum;
  }
  for (let n = 20; n >= 2; n -= 2) sum = 1 - (square / (n * (n - 1))) * sum;
  return sum;
}
