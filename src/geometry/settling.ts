import { symmetricEigen } from "./dense/eigen.js";
import { crossProduct, fromColumns, gram, product } from "./dense/gram.js";
import { quantile } from "./statistics.js";

/** What an iteration found at a look at it. */
export interface Found {
  /** Singular values, in descending order. */
  readonly values: Float64Array;
  /** Vectors in the coordinates of the basis so far, which later ones extend. */
  readonly vectors: readonly Float64Array[];
  /** ||A'A v - s^2 v|| */
  readonly residuals: readonly number[];
}

/** How far what is found may be from what is sought. */
export interface Allowed {
  /** The sine of the 90th percentile of the angles, of singular values of size 1: it is divided by the middle one. */
  readonly directions: number;
  /** The length of the error of all values. */
  readonly values: number;
}

/** Estimates of the errors, of those that are allowed: settled at 1 and below. */
export interface Unsettled {
  readonly directions: number;
  readonly values: number;
}

/** Where residuals are rounding errors, they no longer tell how much was gained. */
const rounding = 1e-12;

/** The directions are never farther than that. */
const mostSine = 0.01;

/**
 * Estimates the errors of what is found now. The step from what was found before is the error of that, as what is found now is far
 * nearer; errors of directions fall as residuals do, those of values as their squares. On spectra of noise and of power laws the
 * true error of directions is a tenth to a half of the estimate (measured against exact ones).
 */
export function unsettledOf(before: Found, now: Found, allowed: Allowed): Unsettled {
  const k = now.values.length;
  const n = now.vectors[0].length;
  const gained = gainOf(before, now);
  const step = quantile(sines(before.vectors, now.vectors, n, k), 0.9);
  let change = 0;
  for (const [i, value] of now.values.entries()) change += (value - before.values[i]) ** 2;
  const middle = now.values[Math.floor(k / 2)];
  const sine = middle > 0 ? Math.min(mostSine, allowed.directions / middle) : mostSine;
  return { directions: (step * gained) / sine, values: (Math.sqrt(change) * gained ** 2) / allowed.values };
}

/** The residual of now, of that before: 90th percentiles, each over the square of its value. */
function gainOf(before: Found, now: Found): number {
  const [old, left] = [before, now].map(({ residuals, values }) => {
    const relative = residuals.map((residual, i) => (values[i] > 0 ? residual / values[i] ** 2 : 0));
    return quantile(
      relative.sort((a, b) => a - b),
      0.9,
    );
  });
  return old > rounding ? Math.min(1, Math.max(left, rounding) / old) : 1;
}

/** Of the principal angles between two subspaces, of which the first has fewer coordinates; in ascending order. */
function sines(
  before: readonly Float64Array[],
  now: readonly Float64Array[],
  n: number,
  k: number,
): Float64Array {
  const x = fromColumns(now, n);
  const y = fromColumns(
    before.map((vector) => extended(vector, n)),
    n,
  );
  const along = product(x, n, k, crossProduct(x, k, y, k, n), k);
  const outside = y.map((value, i) => value - along[i]);
  const { values } = symmetricEigen(gram(outside, n, k), k, 0);
  return values.map((value) => Math.sqrt(Math.max(0, value))).reverse();
}

function extended(vector: Float64Array, n: number): Float64Array {
  const into = new Float64Array(n);
  into.set(vector);
  return into;
}
