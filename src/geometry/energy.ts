import { crossProduct } from "./dense/gram.js";
import { type MatrixPair, type Operand, tileRows, tilesOf } from "./matrix.js";
import type { ProductsOf } from "./products.js";
import { leading, type Spectrum } from "./spectrum.js";

/** The share of ||dW||^2 in the subspaces of the first k left and right vectors of the base. */
export interface Energy {
  readonly k: number;
  readonly measured: number;
  /** With the size of every change in its place and random signs: exactly sum dW_ij^2 a_i b_j / ||dW||^2. */
  readonly signs: number;
}

const change: Operand = { of: "change", signs: null };

/** For several k at once. */
export async function energies(
  matrix: MatrixPair,
  spectrum: Spectrum,
  ks: readonly number[],
  productsOf: ProductsOf,
): Promise<Energy[]> {
  const { rows, columns } = matrix;
  const most = Math.max(...ks);
  const { left, right } = leading(spectrum, rows, columns, most);
  const products = productsOf(columns, most, tileRows(matrix));
  products.begin(right);
  const weights = ks.map((k) => ({
    rows: squaredLengths(left, rows, most, k),
    columns: squaredLengths(right, columns, most, k),
  }));
  const inside = new Float64Array(most * most);
  const expected = ks.map(() => 0);
  let whole = 0;
  for await (const { first, count, numbers } of tilesOf(matrix, change)) {
    const image = products.multiply(numbers, count, false);
    const part = crossProduct(left.subarray(first * most, (first + count) * most), most, image, most, count);
    for (let i = 0; i < inside.length; i++) inside[i] += part[i];
    for (let i = 0; i < numbers.length; i++) numbers[i] *= numbers[i];
    for (let row = 0; row < count; row++) {
      const squares = numbers.subarray(row * columns, (row + 1) * columns);
      for (let j = 0; j < columns; j++) whole += squares[j];
      for (const [n, { rows: a, columns: b }] of weights.entries()) {
        let sum = 0;
        for (let j = 0; j < columns; j++) sum += squares[j] * b[j];
        expected[n] += a[first + row] * sum;
      }
    }
  }
  return ks.map((k, n) => {
    let sum = 0;
    for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) sum += inside[i * most + j] ** 2;
    return { k, measured: sum / whole, signs: expected[n] / whole };
  });
}

/** Of rows, over their first k columns. */
function squaredLengths(x: Float64Array, rows: number, columns: number, k: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < k; j++) sum += x[i * columns + j] ** 2;
    return sum;
  });
}
