import type { Words } from "../update/threefry.js";
import { symmetricEigen } from "./dense/eigen.js";
import { crossProduct, fromColumns, product } from "./dense/gram.js";
import { drawnBlock, orthonormal } from "./dense/orthonormal.js";
import { type MatrixPair, type Operand, tileRows } from "./matrix.js";
import { type Passage, type Products, type ProductsOf, passThrough } from "./products.js";
import { divideColumns, type Spectrum } from "./spectrum.js";

/** Oversampling: additional vectors. */
const oversampling = 8;

/** Passages of the base before its leading directions are used as a start, at most. */
const mostPasses = 6;

/** It ends before, where no leading value changed by more, relatively. */
const settled = 1e-4;

/** Passages from that start, as many for the base as for the tuned matrix and each draw. */
const finishingPasses = 2;

/** The leading singular values of a matrix before and after, from the same start. */
export interface LeadingValues {
  readonly base: Spectrum;
  readonly passes: number;
  /** The largest relative change of a leading value in the last passage of the base. */
  readonly unsettled: number;
  of(operand: Operand): Promise<Spectrum>;
}

const base: Operand = { of: "base", signs: null };

/**
 * Randomised subspace iteration (Halko, Martinsson, Tropp 2011). Vectors with close singular values converge
 * slowly, so base, tuned matrix and sign draws take the same number of passes from the same start: the
 * convergence error is common to all, and differences come from the change.
 */
export async function leadingValues(
  matrix: MatrixPair,
  k: number,
  key: Words,
  productsOf: ProductsOf,
): Promise<LeadingValues> {
  const { rows, columns } = matrix;
  const width = Math.min(k + oversampling, rows, columns);
  const products = productsOf(columns, width, tileRows(matrix));
  const iteration = { matrix, products, width, k, key };
  let x = orthonormal(drawnBlock(key, columns, width), columns, width, key);
  let [values, passes, change] = [new Float64Array(k), 0, Number.POSITIVE_INFINITY];
  while (passes < mostPasses && change > settled) {
    const passage = await passThrough(matrix, base, products, x, width);
    const now = ritz(passage, x, iteration).values;
    change = passes === 0 ? change : largestChange(values, now);
    values = now;
    x = orthonormal(passage.gathered, columns, width, key);
    passes += 1;
  }
  const start = x;
  const spectrumOf = async (operand: Operand): Promise<{ spectrum: Spectrum; change: number }> => {
    let [from, before] = [start, values];
    for (let n = 0; ; n++) {
      const passage = await passThrough(matrix, operand, products, from, width);
      if (n === finishingPasses) {
        const spectrum = finish(passage, from, iteration);
        return { spectrum, change: largestChange(before, spectrum.values) };
      }
      before = ritz(passage, from, iteration).values;
      from = orthonormal(passage.gathered, columns, width, key);
    }
  };
  const finished = await spectrumOf(base);
  return {
    base: finished.spectrum,
    passes: passes + finishingPasses,
    unsettled: finished.change,
    of: async (operand) => (await spectrumOf(operand)).spectrum,
  };
}

interface Iteration {
  readonly matrix: MatrixPair;
  readonly products: Products;
  readonly width: number;
  readonly k: number;
}

/** Rayleigh-Ritz with orthonormal X: the eigenvalues of X' A'A X are squares of singular values. */
function ritz({ gathered }: Passage, x: Float64Array, { matrix, width, k }: Iteration) {
  const projected = crossProduct(x, width, gathered, width, matrix.columns);
  // Symmetric up to rounding.
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < i; j++) {
      const middle = (projected[i * width + j] + projected[j * width + i]) / 2;
      projected[i * width + j] = middle;
      projected[j * width + i] = middle;
    }
  }
  const { values, vectors } = symmetricEigen(projected, width, k);
  return { values: values.slice(0, k).map((value) => Math.sqrt(Math.max(0, value))), vectors };
}

function finish(passage: Passage, x: Float64Array, iteration: Iteration): Spectrum {
  const { matrix, width, k } = iteration;
  const { values, vectors } = ritz(passage, x, iteration);
  const turn = fromColumns(vectors, width);
  const left = product(passage.image, matrix.rows, width, turn, k);
  divideColumns(left, k, values);
  return { values, k, left, right: product(x, matrix.columns, width, turn, k) };
}

function largestChange(before: Float64Array, after: Float64Array): number {
  let most = 0;
  for (const [i, value] of after.entries()) {
    if (value > 0) most = Math.max(most, Math.abs(value - before[i]) / value);
  }
  return most;
}
