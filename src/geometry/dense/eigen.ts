import { threefry2x32 } from "../../update/threefry.js";
import { tridiagonal } from "./tridiagonal.js";

/** Values in descending order; vector j is row j of `vectors`. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: readonly Float64Array[];
}

/**
 * All eigenvalues of a symmetric matrix and the eigenvectors of the leading ones: Householder's tridiagonal form, values by
 * implicit QL, vectors by inverse iteration there. For thousands of rows at most; a quarter of the vectors cost a fraction
 * of the reduction, where accumulated rotations would cost several times as much.
 *
 * @param a n x n; both triangles are read, and overwritten.
 * @param leading how many vectors.
 */
export function symmetricEigen(a: Float64Array, n: number, leading: number): Eigen {
  const { diagonal, off, expand } = tridiagonal(a, n);
  const values = eigenvalues(diagonal, off).sort().reverse();
  const vectors = tridiagonalVectors(diagonal, off, values.subarray(0, leading));
  for (const vector of vectors) expand(vector);
  return { values, vectors };
}

/** Rounds for a value until it is taken with an error of the largest one. */
const patience = 30;

/** The largest sum of the sizes of a row of a tridiagonal matrix. */
function normOf(d: Float64Array, e: Float64Array): number {
  let norm = 0;
  for (let i = 0; i < d.length; i++) {
    norm = Math.max(norm, Math.abs(d[i]) + Math.abs(e[i - 1] ?? 0) + Math.abs(e[i] ?? 0));
  }
  return norm;
}

/** Of a symmetric tridiagonal matrix, unordered: implicit QL with Wilkinson's shifts. */
function eigenvalues(diagonal: Float64Array, off: Float64Array): Float64Array {
  const d = Float64Array.from(diagonal);
  const n = d.length;
  const e = new Float64Array(n);
  e.set(off.subarray(0, n - 1));
  const norm = normOf(d, e);
  for (let l = 0; l < n; l++) {
    for (let rounds = 0; ; rounds++) {
      // Where values are rounding errors of far larger ones, numbers beside the diagonal do not fall below their size.
      const least = rounds < patience ? 0 : norm;
      let m = l;
      while (
        m < n - 1 &&
        Math.abs(e[m]) > Number.EPSILON * Math.max(least, Math.abs(d[m]) + Math.abs(d[m + 1]))
      )
        m++;
      if (m === l) break;
      // Usually two or three rounds per value; the limit stops non-finite input.
      if (rounds === 60) throw new RangeError("the eigenvalues of a matrix were not found");
      let g = (d[l + 1] - d[l]) / (2 * e[l]);
      let r = Math.hypot(g, 1);
      g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const [f, b] = [s * e[i], c * e[i]];
        r = Math.sqrt(f * f + g * g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
      }
      if (r === 0 && i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  return d;
}

/** Values closer than this, over the norm, get vectors that are made orthogonal to each other (as in LAPACK's dstein). */
const close = 1e-3;

/** Inverse iteration from drawn vectors. */
function tridiagonalVectors(d: Float64Array, e: Float64Array, values: Float64Array): Float64Array[] {
  const n = d.length;
  const norm = normOf(d, e);
  const least = Math.max(norm * Number.EPSILON, Number.MIN_VALUE * 2 ** 60);
  const solver = new ShiftedSolver(d, e, least);
  const vectors: Float64Array[] = [];
  let shift = Number.POSITIVE_INFINITY;
  for (const [j, value] of values.entries()) {
    // Equal values would be solved for the same vector.
    shift = Math.min(value, shift - least);
    solver.factor(shift);
    const x = Float64Array.from({ length: n }, (_, i) => threefry2x32([j, 0], [i, 0])[0] / 2 ** 31 - 1);
    for (let rounds = 0; rounds < 3; rounds++) {
      if (rounds > 0) solver.solve(x);
      normalize(x);
      for (let i = j - 1; i >= 0 && values[i] - value <= close * norm; i--) removeFrom(x, vectors[i]);
      normalize(x);
    }
    vectors.push(x);
  }
  return vectors;
}

/** LU factors of T - shift with row exchanges. */
class ShiftedSolver {
  readonly #d: Float64Array;
  readonly #e: Float64Array;
  readonly #least: number;
  readonly #diagonal: Float64Array;
  readonly #upper: Float64Array;
  readonly #second: Float64Array;
  readonly #factor: Float64Array;
  readonly #exchanged: Uint8Array;

  constructor(d: Float64Array, e: Float64Array, least: number) {
    const n = d.length;
    [this.#d, this.#e, this.#least] = [d, e, least];
    [this.#diagonal, this.#upper, this.#second, this.#factor] = [0, 1, 2, 3].map(() => new Float64Array(n));
    this.#exchanged = new Uint8Array(n);
  }

  factor(shift: number): void {
    const [d, e, n] = [this.#d, this.#e, this.#d.length];
    let [pivot, right] = [d[0] - shift, e[0] ?? 0];
    for (let i = 0; i < n - 1; i++) {
      const [below, next, nextRight] = [e[i], d[i + 1] - shift, i + 1 < n - 1 ? e[i + 1] : 0];
      if (Math.abs(below) > Math.abs(pivot)) {
        const factor = pivot / below;
        this.#set(i, below, next, nextRight, factor, 1);
        [pivot, right] = [right - factor * next, -factor * nextRight];
      } else {
        const factor = below === 0 ? 0 : below / this.#away(pivot);
        this.#set(i, this.#away(pivot), right, 0, factor, 0);
        [pivot, right] = [next - factor * right, nextRight];
      }
    }
    this.#set(n - 1, this.#away(pivot), 0, 0, 0, 0);
  }

  #set(i: number, diagonal: number, upper: number, second: number, factor: number, exchanged: 0 | 1): void {
    this.#diagonal[i] = diagonal;
    this.#upper[i] = upper;
    this.#second[i] = second;
    this.#factor[i] = factor;
    this.#exchanged[i] = exchanged;
  }

  /** Replaces zero pivots: a tiny pivot is what selects the eigenvector. */
  #away(pivot: number): number {
    return Math.abs(pivot) < this.#least ? this.#least : pivot;
  }

  solve(x: Float64Array): void {
    const n = x.length;
    for (let i = 0; i < n - 1; i++) {
      if (this.#exchanged[i]) [x[i], x[i + 1]] = [x[i + 1], x[i]];
      x[i + 1] -= this.#factor[i] * x[i];
    }
    for (let i = n - 1; i >= 0; i--) {
      let right = x[i];
      if (i + 1 < n) right -= this.#upper[i] * x[i + 1];
      if (i + 2 < n) right -= this.#second[i] * x[i + 2];
      x[i] = right / this.#diagonal[i];
    }
  }
}

/** Without over- or underflow. */
function normalize(x: Float64Array): void {
  const most = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (most === 0) return;
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    x[i] /= most;
    sum += x[i] * x[i];
  }
  const by = 1 / Math.sqrt(sum);
  for (let i = 0; i < x.length; i++) x[i] *= by;
}

function removeFrom(x: Float64Array, unit: Float64Array): void {
  let along = 0;
  for (let i = 0; i < x.length; i++) along += x[i] * unit[i];
  for (let i = 0; i < x.length; i++) x[i] -= along * unit[i];
}
