/**
 * The elementary functions of the decoder, fast and the same everywhere: tables and polynomials of + - * and sqrt, because
 * Math.exp and its like differ between engines in the last place.
 */
import type { Numbers } from "./numbers.js";

/** Steps of the table of exp in a factor of 2. */
const steps = 64;
const perStep = steps / Math.LN2;
/**
 * ln 2 / 64 in two parts, of which k times the first is exact for |k| < 2^20; the last term is the fp64
 * rounding error of ln 2.
 */
const stepHigh = Math.round((Math.LN2 / steps) * 2 ** 38) / 2 ** 38;
const stepLow = Math.LN2 / steps - stepHigh + 2.319046813846299e-17 / steps;

/** 2^(j/64), from square roots of 2. */
const fractions = Float64Array.from({ length: steps }, (_, j) => {
  let product = 1;
  let root = 2;
  for (let bit = steps / 2; bit >= 1; bit /= 2) {
    root = Math.sqrt(root);
    if (j & bit) product *= root;
  }
  return product;
});

const leastExponent = -1000;
/** 2^n from {@link leastExponent} on. */
const powers = Float64Array.from({ length: 2001 }, (_, i) => 2 ** (i + leastExponent));

/** e^x for x up to 690, accurate to some 10^-15; 0 below -690. */
export function exp(x: number): number {
  if (x < -690) return 0;
  const k = Math.floor(x * perStep + 0.5);
  const rest = x - k * stepHigh - k * stepLow;
  // |rest| <= 0.0055: the next term is below 2^-54.
  const sum = 1 + rest * (1 + rest * (1 / 2 + rest * (1 / 6 + rest * (1 / 24 + rest * (1 / 120)))));
  return fractions[k & (steps - 1)] * sum * powers[(k >> 6) - leastExponent];
}

/** Beyond this the normal distribution is 0 or 1 to 2^-60. */
const farthest = 9;

/** Taylor's coefficients of the normal distribution function at equal distances from -9 to 9. */
interface NormalTable {
  readonly pointsAUnit: number;
  readonly terms: number;
  readonly coefficients: Float64Array;
}

function normalTable(pointsAUnit: number, terms: number): NormalTable {
  const points = 2 * farthest * pointsAUnit + 1;
  const coefficients = new Float64Array(points * terms);
  const root = Math.sqrt(2 * Math.PI);
  for (let i = 0; i < points; i++) {
    const x = i / pointsAUnit - farthest;
    const density = exp((-x * x) / 2) / root;
    coefficients[i * terms] = normalBySeries(x, density);
    // The derivatives are the density times Hermite's polynomials.
    let [before, hermite, factorial] = [0, 1, 1];
    for (let n = 1; n < terms; n++) {
      factorial *= n;
      coefficients[i * terms + n] = ((n % 2 === 1 ? 1 : -1) * hermite * density) / factorial;
      [before, hermite] = [hermite, x * hermite - (n - 1) * before];
    }
  }
  return { pointsAUnit, terms, coefficients };
}

/** 1/2 + density (x + x^3 / 3 + x^5 / 15 + ...), all terms of one sign. */
function normalBySeries(x: number, density: number): number {
  let term = Math.abs(x);
  let sum = 0;
  for (let n = 3; term > sum * 2 ** -60; n += 2) {
    sum += term;
    term *= (x * x) / n;
  }
  return x < 0 ? 0.5 - density * sum : 0.5 + density * sum;
}

const toFp64 = normalTable(32, 8);
/** Accurate to 10^-9, and small enough for the cache. */
const toFp32 = normalTable(16, 5);

/** The exact GELU of n numbers from an index on, x times the normal distribution function; and its derivative, if there is room for it. */
export type Gelu = (from: Numbers, to: Numbers, slope: Numbers | null, at: number, n: number) => void;

/** Right to 10^-15. */
export const geluFp64: Gelu = (from, to, slope, at, n) => {
  const { pointsAUnit, terms, coefficients } = toFp64;
  for (let i = at; i < at + n; i++) {
    const x = from[i];
    if (far(x, i, to, slope)) continue;
    const point = Math.floor((x + farthest) * pointsAUnit + 0.5);
    const d = x + farthest - point / pointsAUnit;
    let [cdf, density] = [0, 0];
    for (let term = terms - 1; term >= 0; term--) {
      density = density * d + cdf;
      cdf = cdf * d + coefficients[point * terms + term];
    }
    to[i] = x * cdf;
    if (slope) slope[i] = cdf + x * density;
  }
};

/** Right to 10^-9: what fp32 numbers can show. */
export const geluFp32: Gelu = (from, to, slope, at, n) => {
  const { pointsAUnit, coefficients } = toFp32;
  for (let i = at; i < at + n; i++) {
    const x = from[i];
    if (far(x, i, to, slope)) continue;
    const point = Math.floor((x + farthest) * pointsAUnit + 0.5);
    const d = x + farthest - point / pointsAUnit;
    const c = point * 5;
    const c1 = coefficients[c + 1];
    const c2 = coefficients[c + 2];
    const c3 = coefficients[c + 3];
    const c4 = coefficients[c + 4];
    const cdf = coefficients[c] + d * (c1 + d * (c2 + d * (c3 + d * c4)));
    to[i] = x * cdf;
    if (slope) slope[i] = cdf + x * (c1 + d * (2 * c2 + d * (3 * c3 + d * 4 * c4)));
  }
};

/** Handles values outside the tables: NaN, and numbers whose normal distribution is 0 or 1. */
function far(x: number, i: number, to: Numbers, slope: Numbers | null): boolean {
  if (x > -farthest && x < farthest) return false;
  to[i] = x > 0 ? x : x * 0;
  if (slope) slope[i] = x > 0 ? 1 : x * 0;
  return true;
}
