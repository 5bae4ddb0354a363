import type { Words } from "../update/threefry.js";
import { BlockLanczos, symmetric } from "./block-lanczos.js";
import { type Eigen, symmetricEigen } from "./dense/eigen.js";
import { crossProduct, fromColumns, product } from "./dense/gram.js";
import { type MatrixPair, type Operand, tileRows } from "./matrix.js";
import { type Passage, type ProductsOf, passThrough } from "./products.js";
import { type Allowed, type Found, type Unsettled, unsettledOf } from "./settling.js";
import { divideColumns, type Spectrum } from "./spectrum.js";

/** The leading singular values of a matrix, and whether they are its own or the iteration's. */
export interface LeadingSpectrum {
  readonly spectrum: Spectrum;
  /** Products of a block of vectors with the matrix and its transpose. */
  readonly passes: number;
  /** What they may still change by, of what is allowed: at most 1 where they are settled. */
  readonly unsettled: Unsettled;
}

/** Vectors of the basis, at most: noise of 8192 x 8192 takes about 750 for 64 directions (simulated), a power law 200. */
export function mostVectors(k: number): number {
  return 8 * k + 512;
}

/** Vectors before it is looked for the first time, and then as many more, or an eighth. */
const between = 48;

/**
 * The leading singular values and vectors, by block Lanczos until what can still change is as small as `allowed`, at the latest at
 * {@link mostVectors}. From a drawn start: one from the base would make its differences from others too small.
 */
export async function leadingValues(
  matrix: MatrixPair,
  operand: Operand,
  k: number,
  allowed: Allowed,
  key: Words,
  productsOf: ProductsOf,
): Promise<LeadingSpectrum> {
  const lanczos = new BlockLanczos(matrix, operand, key, productsOf);
  const { block } = lanczos;
  // One block more than a basis of the rows: only products with the matrix are among them.
  const all = Math.min(Math.floor(matrix.columns / block), Math.ceil(matrix.rows / block) + 1) * block;
  const most = Math.min(mostVectors(k), all);
  const first = Math.max(k, Math.min(k + between, most - block));
  let [found, unsettled]: [Found | null, Unsettled] = [null, { directions: Infinity, values: Infinity }];
  for (let look = first; ; look = Math.min(most, look + Math.max(between, look / 8))) {
    while (lanczos.length < look) await lanczos.step();
    const now = foundBy(lanczos, k);
    if (found) unsettled = unsettledOf(found, now, allowed);
    found = now;
    if (Math.max(unsettled.directions, unsettled.values) <= 1 || lanczos.length >= most) break;
  }
  const x = lanczos.combined(fromColumns(found.vectors, lanczos.length), k);
  const passage = await passThrough(matrix, operand, productsOf(matrix.columns, k, tileRows(matrix)), x, k);
  return { spectrum: finish(matrix, passage, x, k), passes: lanczos.length / block + 1, unsettled };
}

function foundBy(lanczos: BlockLanczos, k: number): Found {
  const { values, vectors } = leadingEigen(lanczos.projected(), lanczos.length, k);
  return { values, vectors, residuals: vectors.map((vector) => lanczos.residual(vector)) };
}

/** Of X' A'A X: singular values, and vectors in the coordinates of X. */
function leadingEigen(projected: Float64Array, n: number, k: number): Eigen {
  const { values, vectors } = symmetricEigen(projected, n, k);
  return { values: values.slice(0, k).map((value) => Math.sqrt(Math.max(0, value))), vectors };
}

/** Rayleigh-Ritz once more, with orthonormal X and products by the matrix. */
function finish(
  { rows, columns }: MatrixPair,
  { image, gathered }: Passage,
  x: Float64Array,
  k: number,
): Spectrum {
  const projected = symmetric(crossProduct(x, k, gathered, k, columns), k);
  const { values, vectors } = leadingEigen(projected, k, k);
  const turn = fromColumns(vectors, k);
  const left = product(image, rows, k, turn, k);
  divideColumns(left, k, values);
  return { values, k, left, right: product(x, columns, k, turn, k) };
}
