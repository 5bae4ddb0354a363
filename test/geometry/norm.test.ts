import { Matrix, SVD } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { largestValue } from "../../src/geometry/norm.js";
import { plainProducts } from "../../src/geometry/products.js";
import { type Held, normal, pairOf, uniform } from "./support.js";

/** The norm of a change, by block Lanczos, beside the largest of all singular values by ml-matrix. */
async function both(rows: number, columns: number, change: Float64Array): Promise<[number, number]> {
  const held = (numbers: Float32Array): Held => ({ rows, columns, numbers });
  const tuned = Float32Array.from(change);
  const pair = pairOf("w", held(new Float32Array(tuned.length)), held(tuned));
  const found = await largestValue(pair, { of: "change", signs: null }, [1, 2], plainProducts);
  const matrix = Matrix.from1DArray(rows, columns, Array.from(tuned));
  const { diagonal } = new SVD(rows < columns ? matrix.transpose() : matrix);
  return [found, Math.max(...diagonal)];
}

const shapes = [
  [16, 16],
  [64, 128],
  [128, 64],
  [9, 200],
  [150, 150],
] as const;

describe.each(shapes)("the norm of a change of %i x %i", (rows, columns) => {
  const next = uniform(rows + columns);
  const gaussian = normal(next);
  const at = () => Math.floor(next() * rows * columns);

  test.each([1, 2, 3, 10, 40])("of %i weights", async (count) => {
    const change = new Float64Array(rows * columns);
    for (let i = 0; i < count; i++) change[at()] = gaussian();
    const [found, right] = await both(rows, columns, change);
    expect(Math.abs(found / right - 1)).toBeLessThan(1e-6);
  });

  test.each([1, 2, 4, 8])("of rank %i", async (rank) => {
    const change = new Float64Array(rows * columns);
    for (let r = 0; r < rank; r++) {
      const [u, v] = [rows, columns].map((length) => Float64Array.from({ length }, gaussian));
      for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) change[i * columns + j] += u[i] * v[j];
    }
    const [found, right] = await both(rows, columns, change);
    expect(Math.abs(found / right - 1)).toBeLessThan(1e-6);
  });

  test("of one row, of one column, and of nothing", async () => {
    const row = Float64Array.from({ length: rows * columns }, (_, i) => (i < columns ? gaussian() : 0));
    const column = Float64Array.from({ length: rows * columns }, (_, i) =>
      i % columns === 3 ? gaussian() : 0,
    );
    for (const change of [row, column]) {
      const [found, right] = await both(rows, columns, change);
      expect(Math.abs(found / right - 1)).toBeLessThan(1e-6);
    }
    expect(await both(rows, columns, new Float64Array(rows * columns))).toEqual([0, 0]);
  });

  test("of noise, whose values are close to each other: from below, to a thousandth", async () => {
    const [found, right] = await both(rows, columns, Float64Array.from({ length: rows * columns }, gaussian));
    expect(found / right).toBeLessThan(1 + 1e-6);
    expect(found / right).toBeGreaterThan(0.999);
  });
});
