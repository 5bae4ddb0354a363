/** A symmetric matrix in tridiagonal form, with the back-transformation of vectors. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** n - 1 numbers beside the diagonal. */
  readonly off: Float64Array;
  /** From the coordinates of the tridiagonal form to those of the matrix, in place. */
  expand(vector: Float64Array): void;
}

/**
 * Householder reflections. Each row of what is left is updated and, while it is in the cache, multiplied by the next
 * reflection: one passage of the matrix a reflection instead of two.
 *
 * @param a n x n, symmetric; overwritten.
 */
export function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const off = new Float64Array(Math.max(0, n - 1));
  /** Reflection k takes coordinates k + 1 and on: row k, with the factor 2 / v'v. */
  const reflections: Float64Array[] = [];
  const factors = new Float64Array(n);
  /** Of the update that is still to be done to what is left: a -= v w' + w v'. */
  let v = new Float64Array(0);
  let w = new Float64Array(0);
  for (let k = 0; k < n; k++) {
    const at = k * n;
    const behind = v.length > 0;
    // Row k, which tells the next reflection. v and w begin at coordinate k.
    if (behind) for (let j = k; j < n; j++) a[at + j] -= v[0] * w[j - k] + w[0] * v[j - k];
    diagonal[k] = a[at + k];
    if (k === n - 1) break;
    const size = n - k - 1;
    const next = a.slice(at + k + 1, at + n);
    const { alpha, factor } = reflect(next);
    off[k] = alpha;
    reflections.push(next);
    factors[k] = factor;
    const p = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const row = a.subarray((k + 1 + i) * n + k + 1, (k + 2 + i) * n);
      p[i] = factor * (behind ? updated(row, v, w, i + 1, next) : dot(row, next));
    }
    let along = 0;
    for (let i = 0; i < size; i++) along += p[i] * next[i];
    const half = (factor * along) / 2;
    for (let i = 0; i < size; i++) p[i] -= half * next[i];
    [v, w] = [next, p];
  }
  return {
    diagonal,
    off,
    expand(vector) {
      for (let k = n - 2; k >= 0; k--) {
        const reflection = reflections[k];
        let along = 0;
        for (let i = 0; i < reflection.length; i++) along += reflection[i] * vector[k + 1 + i];
        along *= factors[k];
        if (along !== 0)
          for (let i = 0; i < reflection.length; i++) vector[k + 1 + i] -= along * reflection[i];
      }
    },
  };
}

/** Makes x the vector of the reflection that takes it to alpha times the first axis. */
function reflect(x: Float64Array): { alpha: number; factor: number } {
  let rest = 0;
  for (let i = 1; i < x.length; i++) rest += x[i] * x[i];
  if (rest === 0) return { alpha: x[0], factor: 0 };
  const norm = Math.sqrt(x[0] * x[0] + rest);
  const alpha = x[0] > 0 ? -norm : norm;
  x[0] -= alpha;
  return { alpha, factor: 2 / (x[0] * x[0] + rest) };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Takes row - v_i w' - w_i v', and gives its product with x. v and w have one number more in front. */
function updated(row: Float64Array, v: Float64Array, w: Float64Array, i: number, x: Float64Array): number {
  const vi = v[i];
  const wi = w[i];
  let [even, odd] = [0, 0];
  let j = 0;
  for (; j + 1 < row.length; j += 2) {
    const a = row[j] - vi * w[j + 1] - wi * v[j + 1];
    const b = row[j + 1] - vi * w[j + 2] - wi * v[j + 2];
    row[j] = a;
    row[j + 1] = b;
    even += a * x[j];
    odd += b * x[j + 1];
  }
  if (j < row.length) {
    row[j] -= vi * w[j + 1] + wi * v[j + 1];
    even += row[j] * x[j];
  }
  return even + odd;
}
