import { EigenvalueDecomposition, Matrix, SVD } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { principalAngles } from "../../src/geometry/angles.js";
import { symmetricEigen } from "../../src/geometry/dense/eigen.js";
import { gram, product } from "../../src/geometry/dense/gram.js";
import { drawnBlock, orthonormal } from "../../src/geometry/dense/orthonormal.js";
import { allValues } from "../../src/geometry/spectrum.js";
import { normal, uniform } from "./support.js";

const draw = normal(uniform(1));
const drawn = (rows: number, columns: number) => Float64Array.from({ length: rows * columns }, draw);
const largest = (x: ArrayLike<number>) =>
  Array.from(x).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Symmetric matrices of every kind that the solver meets. */
const symmetric: readonly (readonly [string, number, Float64Array])[] = [
  ["one number", 1, Float64Array.of(-3)],
  ["two rows", 2, Float64Array.of(2, -1, -1, 2)],
  ["nothing", 5, new Float64Array(25)],
  ["the identity", 7, gramOf(7, (i, j) => Number(i === j))],
  ["equal values", 12, gramOf(12, (i, j) => Number(i === j) * (i < 6 ? 3 : 1))],
  ["a diagonal", 9, gramOf(9, (i, j) => Number(i === j) * (i - 4))],
  ["rank one", 20, gramOf(20, (i, j) => (i + 1) * (j + 1))],
  ["drawn", 33, gram(drawn(50, 33), 50, 33)],
  ["of fewer rows than columns", 40, gram(drawn(11, 40), 11, 40)],
  [
    "tiny numbers",
    16,
    gram(
      drawn(30, 16).map((x) => 1e-30 * x),
      30,
      16,
    ),
  ],
  [
    "a wide range",
    24,
    gram(
      drawn(40, 24).map((x, i) => x * 10 ** -((i % 24) / 3)),
      40,
      24,
    ),
  ],
  ["rounding errors beside two numbers", 64, amongRoundingErrors(64, 2)],
];

/** Of values of which all but some are rounding errors of these: numbers beside the diagonal never fall below the size of theirs. */
function amongRoundingErrors(n: number, large: number): Float64Array {
  const next = uniform(18);
  const a = gramOf(n, () => 0);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const size = i < large ? 1 : j < large ? 0 : 1e-17;
      a[i * n + j] = size * (next() - 0.5);
      a[j * n + i] = a[i * n + j];
    }
  }
  const direction = Float64Array.from({ length: n }, () => next() - 0.5);
  const length = direction.reduce((sum, x) => sum + x * x, 0);
  let turned = a;
  for (let twice = 0; twice < 2; twice++) {
    const from = turned;
    const along = Float64Array.from({ length: n }, (_, i) =>
      direction.reduce((sum, x, j) => sum + from[i * n + j] * x, 0),
    );
    turned = gramOf(n, (j, i) => from[i * n + j] - (2 * along[i] * direction[j]) / length);
  }
  return gramOf(n, (i, j) => turned[Math.max(i, j) + n * Math.min(i, j)]);
}

function gramOf(n: number, entry: (i: number, j: number) => number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, i) => entry(Math.floor(i / n), i % n));
}

describe.each(symmetric)("the eigenvalues of %s", (_, n, a) => {
  const oracle = new EigenvalueDecomposition(Matrix.from1DArray(n, n, a), { assumeSymmetric: true });
  const expected = [...oracle.realEigenvalues].sort((x, y) => y - x);
  const { values, vectors } = symmetricEigen(a.slice(), n, n);
  const norm = largest(expected);

  test("are those of ml-matrix", () => {
    for (const [i, value] of values.entries())
      expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(1e-13 * norm);
  });

  test("belong to vectors that are orthonormal and that the matrix only stretches", () => {
    for (const [j, vector] of vectors.entries()) {
      const image = product(a, n, n, vector, 1);
      expect(largest(image.map((x, i) => x - values[j] * vector[i]))).toBeLessThanOrEqual(1e-12 * norm);
      for (const [i, other] of vectors.entries()) {
        const along = other.reduce((sum, x, at) => sum + x * vector[at], 0);
        expect(Math.abs(along - Number(i === j))).toBeLessThan(1e-12);
      }
    }
  });
});

test("a matrix that is not finite is no matrix to look for long", () => {
  const { values } = symmetricEigen(Float64Array.of(1, Number.NaN, Number.NaN, 1), 2, 0);
  expect(values.some(Number.isNaN)).toBe(true);
});

describe.each([
  [30, 12],
  [12, 30],
  [20, 20],
])("the singular values of %i x %i", (rows, columns) => {
  const numbers = Float32Array.from(drawn(rows, columns));
  const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
  const transposed = rows < columns;
  const tall = transposed
    ? Float32Array.from(numbers, (_, i) => numbers[(i % short) * columns + Math.floor(i / short)])
    : numbers;
  const spectrum = allValues(tall, long, short, transposed, 5);
  const oracle = new SVD(Matrix.from1DArray(rows, columns, numbers), { autoTranspose: true });

  test("are those of ml-matrix", () => {
    for (const [i, value] of oracle.diagonal.entries()) expect(spectrum.values[i]).toBeCloseTo(value, 11);
  });

  test("have its vectors", () => {
    for (const [vectors, found, length] of [
      [oracle.leftSingularVectors, spectrum.left, rows],
      [oracle.rightSingularVectors, spectrum.right, columns],
    ] as const) {
      for (let j = 0; j < 5; j++) {
        let along = 0;
        for (let i = 0; i < length; i++) along += vectors.get(i, j) * found[i * 5 + j];
        expect(Math.abs(along)).toBeCloseTo(1, 10);
      }
    }
  });
});

test("principal angles are found however small, by a rotation of known angle", () => {
  for (const degrees of [1e-4, 0.03, 1, 30, 89]) {
    const angle = (degrees * Math.PI) / 180;
    const before = new Float64Array(4 * 2);
    before[0] = 1;
    before[3] = 1;
    const after = before.slice();
    // The first direction turns towards one outside.
    after[0] = Math.cos(angle);
    after[4] = Math.sin(angle);
    const angles = principalAngles(before, after, 4, 2);
    expect(angles[0]).toBeCloseTo(0, 6);
    expect(Math.abs(angles[1] / degrees - 1)).toBeLessThan(1e-9);
  }
});

describe("orthonormal", () => {
  const key = [1, 2] as const;
  test.each([
    ["drawn columns", drawnBlock(key, 40, 6)],
    ["columns of very different length", drawnBlock(key, 40, 6).map((x, i) => x * 10 ** (-3 * (i % 6)))],
    ["equal columns", Float64Array.from({ length: 240 }, (_, i) => Math.floor(i / 6))],
    ["no columns at all", new Float64Array(240)],
  ])("%s", (_, x) => {
    const columns = orthonormal(x.slice(), 40, 6, key);
    const products = gram(columns, 40, 6);
    for (const [i, value] of products.entries()) expect(value).toBeCloseTo(Number(i % 7 === 0), 11);
    // What x has is in their span.
    const inside = product(columns, 40, 6, transposedProduct(columns, x), 6);
    expect(largest(inside.map((value, i) => value - x[i]))).toBeLessThanOrEqual(1e-9 * (1 + largest(x)));
  });

  function transposedProduct(a: Float64Array, b: Float64Array): Float64Array {
    const into = new Float64Array(36);
    for (let row = 0; row < 40; row++) {
      for (let i = 0; i < 36; i++) into[i] += a[row * 6 + Math.floor(i / 6)] * b[row * 6 + (i % 6)];
    }
    return into;
  }
});
