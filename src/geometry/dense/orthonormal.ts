import { threefry2x32, type Words } from "../../update/threefry.js";
import { symmetricEigen } from "./eigen.js";
import { gram, product } from "./gram.js";

/** Gaussian enough for a start: sums of four uniform draws, which depend on the key and the place alone. */
export function drawnBlock(key: Words, rows: number, width: number): Float64Array {
  return Float64Array.from({ length: rows * width }, (_, i) => {
    const [a, b] = threefry2x32(key, [i >>> 0, Math.floor(i / 2 ** 32)]);
    return ((a >>> 16) + (a & 0xffff) + (b >>> 16) + (b & 0xffff)) / 2 ** 16 - 2 + 2 ** -15;
  });
}

/** The remaining share of a direction's square below which it counts as rounding error. */
const negligible = 1e-13;

/**
 * Orthonormal columns that span those of x, and drawn ones in place of what depends on the others. By the eigenvectors of the
 * Gram matrix, twice: the second time makes up for what the first loses to rounding.
 *
 * @param x rows x width; overwritten.
 */
export function orthonormal(x: Float64Array, rows: number, width: number, key: Words): Float64Array {
  let columns = x;
  for (let rounds = 0, whole = 0; whole < 2 && rounds < 6; rounds++) {
    scaleColumns(columns, width);
    const { values, vectors } = symmetricEigen(gram(columns, rows, width), width, width);
    const turned = new Float64Array(width * width);
    let depends = 0;
    for (const [j, vector] of vectors.entries()) {
      const isNew = values[j] > negligible * values[0];
      if (!isNew) depends += 1;
      const by = isNew ? 1 / Math.sqrt(values[j]) : 0;
      for (let i = 0; i < width; i++) turned[i * width + j] = by * vector[i];
    }
    columns = product(columns, rows, width, turned, width);
    if (depends > 0) {
      const drawn = drawnBlock([key[0] ^ 0x6f727468, key[1] + rounds], rows, width);
      for (let i = 0; i < columns.length; i++) if (i % width >= width - depends) columns[i] = drawn[i];
      whole = 0;
    } else whole += 1;
  }
  return columns;
}

/** To length 1, so that the Gram matrix of long and short columns loses nothing. */
function scaleColumns(x: Float64Array, width: number): void {
  const squares = new Float64Array(width);
  for (let at = 0; at < x.length; at += width) {
    for (let j = 0; j < width; j++) squares[j] += x[at + j] * x[at + j];
  }
  const by = squares.map((square) => (square > 0 ? 1 / Math.sqrt(square) : 0));
  for (let at = 0; at < x.length; at += width) for (let j = 0; j < width; j++) x[at + j] *= by[j];
}
