import { symmetricEigen } from "./dense/eigen.js";
import { crossProduct, gram, product } from "./dense/gram.js";
import { quantile } from "./statistics.js";

/**
 * The principal angles between two subspaces in degrees, in ascending order. By the sine, the singular values of (1 - U U') U+:
 * the cosine of an angle of 1e-4 degrees is 1 to within 1.5e-12.
 *
 * @param before rows x k, orthonormal columns, row by row.
 * @param after the same.
 */
export function principalAngles(
  before: Float64Array,
  after: Float64Array,
  rows: number,
  k: number,
): Float64Array {
  const along = product(before, rows, k, crossProduct(before, k, after, k, rows), k);
  const outside = after.map((x, i) => x - along[i]);
  const { values } = symmetricEigen(gram(outside, rows, k), k, 0);
  return values
    .map((value) => (Math.asin(Math.min(1, Math.sqrt(Math.max(0, value)))) * 180) / Math.PI)
    .reverse();
}

/** The median and the 90th percentile. */
export function angleFigures(angles: Float64Array): { readonly median: number; readonly high: number } {
  return { median: quantile(angles, 0.5), high: quantile(angles, 0.9) };
}
