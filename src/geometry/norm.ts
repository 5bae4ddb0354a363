import type { Words } from "../update/threefry.js";
import { symmetricEigen } from "./dense/eigen.js";
import { addProduct, crossProduct } from "./dense/gram.js";
import { drawnBlock, orthonormal } from "./dense/orthonormal.js";
import { type MatrixPair, type Operand, tileRows } from "./matrix.js";
import { type ProductsOf, passThrough } from "./products.js";

/** Vectors of a block: what the engines multiply at once. */
const width = 8;

const mostSteps = 40;

/** Checked every few steps; ends when the relative growth per step is smaller. */
const settled = 1e-3;

/**
 * The largest singular value, by block Lanczos on A'A with full reorthogonalization. An isolated value
 * converges in a few steps, the edge of noise in a dozen.
 */
export async function largestValue(
  matrix: MatrixPair,
  operand: Operand,
  key: Words,
  productsOf: ProductsOf,
): Promise<number> {
  const { columns, rows } = matrix;
  const block = Math.min(width, columns, rows);
  const products = productsOf(columns, block, tileRows(matrix));
  const basis: Float64Array[] = [];
  /** Blocks of the projected matrix, by column of blocks. */
  const projected: Float64Array[][] = [];
  let x = orthonormal(drawnBlock(key, columns, block), columns, block, key);
  let [value, looked] = [0, -1];
  const most = Math.min(mostSteps, Math.floor(columns / block));
  for (let step = 0; step < most; step++) {
    basis.push(x);
    const { gathered } = await passThrough(matrix, operand, products, x, block);
    projected.push(basis.map((vectors) => crossProduct(vectors, block, gathered, block, columns)));
    const isLooked = step < 4 || step % 4 === 3 || step === most - 1;
    if (isLooked) {
      const found = Math.sqrt(Math.max(0, largestOf(projected, block)));
      if (found - value <= settled * (step - looked) * found) return found;
      [value, looked] = [found, step];
    }
    // Twice: once leaves rounding errors.
    for (let twice = 0; twice < 2; twice++) subtractAlong(basis, gathered, columns, block);
    x = newBlock(basis, gathered, columns, block, [key[0], key[1] + step + 1]);
  }
  return value;
}

/** What a direction may have along the basis, as a share of its length: rounding errors. */
const rounding = 1e-10;

const mostRounds = 8;

/**
 * Orthonormal directions that span those of x, and are orthogonal to the basis. Where the matrix has few singular values other than
 * zero, little or nothing is left of x: what is drawn in its place, or made of its rounding errors, lies along the basis in part.
 */
function newBlock(
  basis: readonly Float64Array[],
  x: Float64Array,
  columns: number,
  block: number,
  [low, high]: Words,
): Float64Array {
  for (let round = 0; ; round++) {
    const found = orthonormal(x, columns, block, [low, high + mostSteps * round]);
    if (subtractAlong(basis, found, columns, block) <= rounding || round === mostRounds) return found;
    x = found;
  }
}

/** Subtracts from directions what they have along the basis; returns the most that was subtracted. */
function subtractAlong(
  basis: readonly Float64Array[],
  x: Float64Array,
  columns: number,
  block: number,
): number {
  let most = 0;
  for (const vectors of basis) {
    const along = crossProduct(vectors, block, x, block, columns);
    for (let i = 0; i < along.length; i++) {
      most = Math.max(most, Math.abs(along[i]));
      along[i] = -along[i];
    }
    addProduct(x, vectors, columns, block, along, block);
  }
  return most;
}

/** The largest eigenvalue of what is projected so far. */
function largestOf(projected: readonly Float64Array[][], block: number): number {
  const n = projected.length * block;
  const whole = new Float64Array(n * n);
  for (const [column, blocks] of projected.entries()) {
    for (const [row, numbers] of blocks.entries()) {
      for (let i = 0; i < block; i++) {
        for (let j = 0; j < block; j++) {
          const [a, b] = [row * block + i, column * block + j];
          whole[a * n + b] = numbers[i * block + j];
          whole[b * n + a] = numbers[i * block + j];
        }
      }
    }
  }
  return symmetricEigen(whole, n, 0).values[0];
}
