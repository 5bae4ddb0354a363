import { powerOfTwo } from "../format/float64.js";
import { exp, log } from "./elementary.js";

/**
 * A distribution that can be sampled with integers, a table, and one fp32 interpolation: equally likely
 * cells, uniform between knots. Probabilities are exact at the knots; the variance is 1.
 */
export interface Distribution {
  readonly name: string;
  /** {@link cellCount} + 1 fp32 numbers, ascending. */
  readonly knots: Float32Array;
}

/** Coefficients of AS 241, from the highest power down. */
const centralTop = [
  2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
  1971.5909503065513, 133.14166789178438, 3.3871328727963665,
];
const centralBottom = [
  5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
  687.1870074920579, 42.31333070160091, 1,
];
const tailTop = [
  0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
  5.769497221460691, 4.630337846156546, 1.4234371107496835,
];
const tailBottom = [
  1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
  1.6763848301838038, 2.053191626637759, 1,
];

/** 16 KiB of knots fit in the L1 cache. */
export const cellCount = 4096;
/** Bits of a random word below those that choose the cell. */
export const restBits = 20;
/** Hoisted: V8 would compute the power at every call. */
const restMask = 2 ** restBits - 1;
const restUnit = 2 ** -restBits;

const { fround } = Math;

/** The number for 32 unsigned random bits. Every operation is one fp32 rounding. */
export function drawFrom({ knots }: Distribution, bits: number): number {
  const cell = bits >>> restBits;
  const rest = (bits & restMask) * restUnit;
  const low = knots[cell];
  return fround(low + fround(fround(knots[cell + 1] - low) * rest));
}

/** A symmetric distribution from the upper half of its quantile function: p from 1/2 to 1, exclusive. */
export function symmetric(name: string, quantile: (p: number, tail: number) => number): Distribution {
  const half = cellCount / 2;
  const upper = new Float64Array(half + 1);
  for (let i = 1; i < half; i++) upper[i] = quantile(0.5 + i / cellCount, 0.5 - i / cellCount);
  // The outermost cell ends so that its mean equals that of the tail.
  upper[half] = 2 * tailMean(quantile) - upper[half - 1];
  // The mean square of a cell from a to b is (a^2 + a b + b^2) / 3.
  let square = 0;
  for (let i = 0; i < half; i++) {
    const [a, b] = [upper[i], upper[i + 1]];
    square += (a * a + a * b + b * b) / 3;
  }
  const scale = 1 / Math.sqrt(square / half);
  const knots = new Float32Array(cellCount + 1);
  for (let i = 1; i <= half; i++) {
    knots[half + i] = upper[i] * scale;
    knots[half - i] = -knots[half + i];
  }
  return { name, knots };
}

/** The mean of the outermost cell, whose end may be infinite, by midpoints of successively finer parts. */
function tailMean(quantile: (p: number, tail: number) => number): number {
  const parts = 64;
  let [sum, weight] = [0, 0];
  // Tails (1/2^k, 2/2^k] of the cell; the rest, below 2^-24 of it, is negligible.
  for (let k = 1; k <= 24; k++) {
    const least = powerOfTwo(-k);
    for (let i = 0; i < parts; i++) {
      const tail = (least * (1 + (i + 0.5) / parts)) / cellCount;
      sum += (quantile(1 - tail, tail) * least) / parts;
      weight += least / parts;
    }
  }
  return sum / weight;
}

/** The standard normal distribution. */
export const gaussian = symmetric("gaussian", normalQuantile);

/**
 * Student's t with 4 degrees of freedom, scaled to variance 1; its fourth moment is infinite. Its
 * distribution function is 1/2 + (3/4) (s - s^3/3), s = t / sqrt(4 + t^2), whose inverse is the root of a
 * cubic equation.
 */
export const student4 = symmetric("student-4", (_, tail) => {
  // With e = 1 - s the upper tail is (3/4) e^2 - e^3 / 4: by Newton's method from the leading term.
  let e = Math.sqrt((4 / 3) * tail);
  for (let i = 0; i < 12; i++) e -= (0.75 * e * e - (e * e * e) / 4 - tail) / (1.5 * e - 0.75 * e * e);
  return (2 * (1 - e)) / Math.sqrt(e * (2 - e));
});

/**
 * Magnitudes follow a Weibull distribution with the given shape: 1.2 is close to half-normal; smaller shapes
 * are more concentrated near zero, like the query and key matrices of real models.
 */
export function weibull(shape: number): Distribution {
  return symmetric(`weibull-${shape}`, (_, tail) => exp(log(-log(2 * tail)) / shape));
}

/**
 * The quantile of the standard normal distribution at p, with `tail` = 1 - p: Wichura's algorithm AS 241,
 * PPND16 (Applied Statistics 37, 1988), relative error about 10^-16. Valid for 1/2 <= p and tail > 10^-10.
 */
export function normalQuantile(p: number, tail = 1 - p): number {
  const q = p - 0.5;
  if (q <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(centralTop, r)) / polynomial(centralBottom, r);
  }
  const r = Math.sqrt(-log(tail)) - 1.6;
  return polynomial(tailTop, r) / polynomial(tailBottom, r);
}

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, c) => sum * x + c, 0);
}
