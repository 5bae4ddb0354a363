import { symmetricEigen } from "./dense/eigen.js";
import { fromColumns, gram, leadingColumns, product } from "./dense/gram.js";

/** Singular values in descending order, and the leading singular vectors as columns of matrices, row by row. */
export interface Spectrum {
  /** All, or those of the leading vectors. */
  readonly values: Float64Array;
  /** Columns of `left` and `right`. */
  readonly k: number;
  readonly left: Float64Array;
  readonly right: Float64Array;
}

/**
 * All singular values of a matrix that is held in memory, and its leading vectors: by the eigenvalues of its Gram matrix in fp64.
 * A value s has an error of about 1e-16 s_1^2 / s, which the leading quarter and sums over all do not notice.
 *
 * @param numbers long x short, row by row.
 * @param transposed whether `long` is the columns.
 */
export function allValues(
  numbers: Float32Array,
  long: number,
  short: number,
  transposed: boolean,
  k: number,
): Spectrum {
  const { values, vectors } = symmetricEigen(gram(numbers, long, short), short, k);
  for (const [i, value] of values.entries()) values[i] = Math.sqrt(Math.max(0, value));
  const ofShort = fromColumns(vectors, short);
  const ofLong = product(numbers, long, short, ofShort, k);
  divideColumns(ofLong, k, values);
  return { values, k, left: transposed ? ofShort : ofLong, right: transposed ? ofLong : ofShort };
}

/** Column j by value j, as the vectors that A V / s are. Columns of zero stay. */
export function divideColumns(x: Float64Array, k: number, values: Float64Array): void {
  for (let i = 0; i < x.length; i++) if (values[i % k] > 0) x[i] /= values[i % k];
}

/** A spectrum with fewer vectors. */
export function leading(spectrum: Spectrum, rows: number, columns: number, k: number): Spectrum {
  return {
    ...spectrum,
    k,
    left: leadingColumns(spectrum.left, rows, spectrum.k, k),
    right: leadingColumns(spectrum.right, columns, spectrum.k, k),
  };
}

/** ||s(after) - s(before)|| / ||s(before)|| over the first k values. */
export function drift(before: Spectrum, after: Spectrum, k: number): number {
  let [difference, whole] = [0, 0];
  for (let i = 0; i < k; i++) {
    difference += (after.values[i] - before.values[i]) ** 2;
    whole += before.values[i] ** 2;
  }
  return Math.sqrt(difference / whole);
}
