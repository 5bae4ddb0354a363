/**
 * X'X of a matrix with many rows, in fp64: four rows at a time, so that each number of the result is read and written once for
 * eight operations.
 *
 * @param x rows x n, row by row.
 * @returns n x n, both triangles.
 */
export function gram(x: Float32Array | Float64Array, rows: number, n: number): Float64Array {
  const g = new Float64Array(n * n);
  const [a, b, c, d] = [0, 1, 2, 3].map(() => new Float64Array(n));
  for (let row = 0; row < rows; row += 4) {
    for (const [at, line] of [a, b, c, d].entries()) {
      if (row + at < rows) line.set(x.subarray((row + at) * n, (row + at + 1) * n));
      else line.fill(0);
    }
    for (let i = 0; i < n; i++) addRow(g.subarray(i * n, (i + 1) * n), a, b, c, d, i);
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) g[i * n + j] = g[j * n + i];
  return g;
}

/** Row i of the products of four rows, from the diagonal on. */
function addRow(
  into: Float64Array,
  a: Float64Array,
  b: Float64Array,
  c: Float64Array,
  d: Float64Array,
  i: number,
): void {
  const e = a[i];
  const f = b[i];
  const g = c[i];
  const h = d[i];
  for (let j = i; j < into.length; j++) into[j] += e * a[j] + f * b[j] + (g * c[j] + h * d[j]);
}

/**
 * X'Y of matrices with as many rows: four of these at a time.
 *
 * @returns m x n, row by row.
 */
export function crossProduct(
  x: Float64Array,
  m: number,
  y: Float64Array,
  n: number,
  rows: number,
): Float64Array {
  const into = new Float64Array(m * n);
  const whole = rows - (rows % 4);
  for (let row = 0; row < whole; row += 4) {
    const [a, b, c, d] = [row * n, (row + 1) * n, (row + 2) * n, (row + 3) * n];
    for (let i = 0, at = row * m; i < m; i++, at++) {
      const [e, f, g, h] = [x[at], x[at + m], x[at + 2 * m], x[at + 3 * m]];
      for (let j = 0, to = i * n; j < n; j++, to++) {
        into[to] += e * y[a + j] + f * y[b + j] + (g * y[c + j] + h * y[d + j]);
      }
    }
  }
  for (let row = whole; row < rows; row++) {
    for (let i = 0; i < m; i++) {
      const factor = x[row * m + i];
      for (let j = 0; j < n; j++) into[i * n + j] += factor * y[row * n + j];
    }
  }
  return into;
}

/**
 * X Y.
 *
 * @param x rows x inner.
 * @param y inner x n.
 */
export function product(
  x: Float64Array | Float32Array,
  rows: number,
  inner: number,
  y: Float64Array,
  n: number,
): Float64Array {
  const into = new Float64Array(rows * n);
  addProduct(into, x, rows, inner, y, n);
  return into;
}

/** Adds X Y: four rows of Y at a time, so that each number of the result is read and written once for eight operations. */
export function addProduct(
  into: Float64Array,
  x: Float64Array | Float32Array,
  rows: number,
  inner: number,
  y: Float64Array,
  n: number,
): void {
  const whole = inner - (inner % 4);
  for (let row = 0; row < rows; row++) {
    const [at, to] = [row * inner, row * n];
    for (let i = 0; i < whole; i += 4) {
      const [e, f, g, h] = [x[at + i], x[at + i + 1], x[at + i + 2], x[at + i + 3]];
      for (let j = 0, a = i * n; j < n; j++, a++) {
        into[to + j] += e * y[a] + f * y[a + n] + (g * y[a + 2 * n] + h * y[a + 3 * n]);
      }
    }
    for (let i = whole; i < inner; i++) {
      const factor = x[at + i];
      for (let j = 0; j < n; j++) into[to + j] += factor * y[i * n + j];
    }
  }
}

/** Columns of a matrix, row by row, from vectors. */
export function fromColumns(vectors: readonly Float64Array[], rows: number): Float64Array {
  const k = vectors.length;
  const into = new Float64Array(rows * k);
  for (const [j, vector] of vectors.entries()) for (let i = 0; i < rows; i++) into[i * k + j] = vector[i];
  return into;
}

/** The first `take` columns of a matrix of `columns`. */
export function leadingColumns(x: Float64Array, rows: number, columns: number, take: number): Float64Array {
  if (take === columns) return x;
  const into = new Float64Array(rows * take);
  for (let i = 0; i < rows; i++) into.set(x.subarray(i * columns, i * columns + take), i * take);
  return into;
}
