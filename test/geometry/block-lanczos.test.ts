import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { productsOf, provenProducts } from "../../src/engine/wasm/products/products.js";
import { BlockLanczos } from "../../src/geometry/block-lanczos.js";
import { symmetricEigen } from "../../src/geometry/dense/eigen.js";
import { plainProducts } from "../../src/geometry/products.js";
import { normal, pairOf, uniform } from "./support.js";

const [rows, columns] = [70, 60];
const draw = normal(uniform(5));
const drawn = Float32Array.from({ length: rows * columns }, draw);
const ofRankThree = (() => {
  const [u, v] = [rows, columns].map((n) => Float64Array.from({ length: 3 * n }, draw));
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    return u[3 * i] * v[3 * j] + u[3 * i + 1] * v[3 * j + 1] + u[3 * i + 2] * v[3 * j + 2];
  });
})();

describe.each([
  ["fp64", plainProducts],
  ["the engine's products", productsOf(await provenProducts())],
])("block Lanczos by %s", (_, products) => {
  describe.each([
    ["a drawn matrix", drawn],
    ["a matrix of rank three", ofRankThree],
  ])("of %s", async (_, numbers) => {
    const zero = { rows, columns, numbers: new Float32Array(rows * columns) };
    const pair = pairOf("w", zero, { rows, columns, numbers });
    const lanczos = new BlockLanczos(pair, { of: "change", signs: null }, [1, 2], products);
    for (let step = 0; step < 5; step++) await lanczos.step();
    const n = lanczos.length;
    const identity = Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
    const basis = Matrix.from1DArray(columns, n, lanczos.combined(identity, n));
    const a = Matrix.from1DArray(rows, columns, numbers);
    const squared = a.transpose().mmul(a);
    const norm = Math.max(...new EigenvalueDecomposition(squared).realEigenvalues);

    test("the basis is orthonormal", () => {
      expect(n).toBe(40);
      const off = basis.transpose().mmul(basis).sub(Matrix.eye(n));
      expect(Math.max(off.max(), -off.min())).toBeLessThan(1e-6);
    });

    test("what is projected is Q'A'AQ", () => {
      const off = basis
        .transpose()
        .mmul(squared)
        .mmul(basis)
        .sub(Matrix.from1DArray(n, n, lanczos.projected()));
      expect(Math.max(off.max(), -off.min())).toBeLessThan(1e-6 * norm);
    });

    test("residuals are those of the vectors", () => {
      const { values, vectors } = symmetricEigen(lanczos.projected(), n, 8);
      for (const [i, vector] of vectors.entries()) {
        const x = basis.mmul(Matrix.columnVector(vector));
        const right = squared.mmul(x).sub(x.clone().mul(values[i])).norm("frobenius");
        expect(Math.abs(lanczos.residual(vector) - right)).toBeLessThan(2e-6 * norm);
      }
    });
  });
});
