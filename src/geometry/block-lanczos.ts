import type { Words } from "../update/threefry.js";
import { addProduct, crossProduct } from "./dense/gram.js";
import { drawnBlock, orthonormal } from "./dense/orthonormal.js";
import { KrylovBasis } from "./krylov-basis.js";
import { type MatrixPair, type Operand, tileRows } from "./matrix.js";
import { type Products, type ProductsOf, passThrough } from "./products.js";

/** Vectors of a block: what the engines multiply at once. A block of 16 needs a seventh more vectors for the same figures. */
export const blockWidth = 8;

/** What a unit vector may have along the basis: rounding errors of fp32. */
const rounding = 1e-6;

const mostRounds = 8;

/**
 * Block Lanczos on A'A with full reorthogonalisation: an orthonormal basis of the space of B, A'A B, (A'A)^2 B, ... of a drawn block
 * B, and A'A projected on it, which is block tridiagonal.
 */
export class BlockLanczos {
  readonly block: number;
  readonly #matrix: MatrixPair;
  readonly #operand: Operand;
  readonly #key: Words;
  readonly #products: Products;
  readonly #basis: KrylovBasis;
  /** Blocks on the diagonal and below it, one of each for every step. */
  readonly #diagonal: Float64Array[] = [];
  readonly #below: Float64Array[] = [];
  #before: Float64Array | null = null;
  #next: Float64Array;

  constructor(matrix: MatrixPair, operand: Operand, key: Words, productsOf: ProductsOf) {
    const { rows, columns } = matrix;
    // Two blocks at least, because what is found is compared with what was found before.
    this.block = Math.max(1, Math.min(blockWidth, Math.floor(Math.min(rows, columns) / 2)));
    [this.#matrix, this.#operand, this.#key] = [matrix, operand, key];
    this.#products = productsOf(columns, this.block, tileRows(matrix));
    this.#basis = new KrylovBasis(columns, this.block, productsOf);
    this.#next = orthonormal(drawnBlock(key, columns, this.block), columns, this.block, key);
  }

  /** Vectors of the basis. */
  get length(): number {
    return this.#basis.length;
  }

  /** Multiplies by A'A once, and adds a block to the basis. */
  async step(): Promise<void> {
    const { columns } = this.#matrix;
    const block = this.block;
    const x = this.#next;
    this.#basis.add(x);
    const { gathered } = await passThrough(this.#matrix, this.#operand, this.#products, x, block);
    const diagonal = symmetric(crossProduct(x, block, gathered, block, columns), block);
    addProduct(gathered, x, columns, block, negative(diagonal), block);
    const above = this.#below.at(-1);
    if (this.#before && above) {
      addProduct(gathered, this.#before, columns, block, negative(transposed(above, block)), block);
    }
    this.#basis.subtractAlong(gathered);
    const next = this.#newBlock(gathered.slice());
    this.#diagonal.push(diagonal);
    this.#below.push(crossProduct(next, block, gathered, block, columns));
    [this.#before, this.#next] = [x, next];
  }

  /**
   * Orthonormal directions that span those of x, and are orthogonal to the basis. Where the matrix has few singular values other than
   * zero, little or nothing is left of x: what is drawn in its place, or made of its rounding errors, lies along the basis in part.
   */
  #newBlock(x: Float64Array): Float64Array {
    const { columns } = this.#matrix;
    const [low, high] = this.#key;
    for (let round = 0; ; round++) {
      const key: Words = [low, high + this.length + round];
      const found = orthonormal(x, columns, this.block, key);
      if (this.#basis.subtractAlong(found) <= rounding || round === mostRounds) return found;
      x = found;
    }
  }

  /** A'A on the basis, length x length. */
  projected(): Float64Array {
    const [n, block] = [this.length, this.block];
    const into = new Float64Array(n * n);
    for (const [step, diagonal] of this.#diagonal.entries()) {
      const first = step * block;
      for (let i = 0; i < block; i++) {
        for (let j = 0; j < block; j++) {
          into[(first + i) * n + first + j] = diagonal[i * block + j];
          if (first + block === n) continue;
          const below = this.#below[step][i * block + j];
          into[(first + block + i) * n + first + j] = below;
          into[(first + j) * n + first + block + i] = below;
        }
      }
    }
    return into;
  }

  /** ||A'A x - x x'A'A x|| of an eigenvector of what is projected, in the coordinates of the basis. */
  residual(vector: Float64Array): number {
    const block = this.block;
    const below = this.#below[this.#below.length - 1];
    const last = vector.subarray(vector.length - block);
    let sum = 0;
    for (let i = 0; i < block; i++) {
      let along = 0;
      for (let j = 0; j < block; j++) along += below[i * block + j] * last[j];
      sum += along * along;
    }
    return Math.sqrt(sum);
  }

  /** Vectors of the matrix, columns x k, from their coordinates, length x k. */
  combined(coordinates: Float64Array, k: number): Float64Array {
    return this.#basis.combined(coordinates, k);
  }
}

/** What is symmetric up to rounding, made so in place. */
export function symmetric(x: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const middle = (x[i * n + j] + x[j * n + i]) / 2;
      x[i * n + j] = middle;
      x[j * n + i] = middle;
    }
  }
  return x;
}

function negative(x: Float64Array): Float64Array {
  return x.map((value) => -value);
}

function transposed(x: Float64Array, n: number): Float64Array {
  return Float64Array.from(x, (_, i) => x[(i % n) * n + Math.floor(i / n)]);
}
