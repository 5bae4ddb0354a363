import { addProduct } from "./dense/gram.js";
import type { Products, ProductsOf } from "./products.js";

/** Numbers of a piece of the basis: it is multiplied as a tile is. */
const pieceLength = 2 ** 20;

/**
 * Orthonormal vectors, a block at a time, as rows in fp32: so the engine that multiplies tiles of a matrix projects on them, at ten
 * times the rate of fp64 here (measured), and a basis takes half the memory. What their rounding leaves of other vectors of the basis is
 * 1e-8 of a length.
 */
export class KrylovBasis {
  readonly #columns: number;
  readonly #block: number;
  readonly #height: number;
  readonly #products: Products;
  readonly #pieces: Float32Array[] = [];
  /** Vectors so far. */
  length = 0;

  constructor(columns: number, block: number, productsOf: ProductsOf) {
    const blocks = Math.max(1, Math.floor(pieceLength / (columns * block)));
    [this.#columns, this.#block, this.#height] = [columns, block, Math.min(512, block * blocks)];
    this.#products = productsOf(columns, block, this.#height);
  }

  /** Appends the columns of x, columns x block, and rounds x to what is kept. */
  add(x: Float64Array): void {
    const [columns, block] = [this.#columns, this.#block];
    const from = this.length % this.#height;
    if (from === 0) this.#pieces.push(new Float32Array(this.#height * columns));
    const piece = this.#pieces[this.#pieces.length - 1];
    for (let j = 0; j < block; j++) {
      const at = (from + j) * columns;
      for (let i = 0; i < columns; i++) {
        piece[at + i] = x[i * block + j];
        x[i * block + j] = piece[at + i];
      }
    }
    this.length += block;
  }

  /** Subtracts from the columns of x what they have along the basis; returns the most that one had along one vector. */
  subtractAlong(x: Float64Array): number {
    let most = 0;
    this.#products.begin(x);
    for (const [n, piece] of this.#pieces.entries()) {
      const count = this.#vectorsOf(n);
      const along = this.#products.multiply(piece.subarray(0, count * this.#columns), count, true);
      for (let i = 0; i < along.length; i++) most = Math.max(most, Math.abs(along[i]));
    }
    const inside = this.#products.gathered();
    for (let i = 0; i < x.length; i++) x[i] -= inside[i];
    return most;
  }

  /**
   * Sums of the vectors, columns x k.
   *
   * @param factors length x k, row by row.
   */
  combined(factors: Float64Array, k: number): Float64Array {
    const columns = this.#columns;
    const into = new Float64Array(columns * k);
    const few = 8;
    const turned = new Float32Array(columns * few);
    for (const [n, piece] of this.#pieces.entries()) {
      const vectors = this.#vectorsOf(n);
      for (let first = 0; first < vectors; first += few) {
        const count = Math.min(few, vectors - first);
        for (let j = 0; j < count; j++) {
          const at = (first + j) * columns;
          for (let i = 0; i < columns; i++) turned[i * count + j] = piece[at + i];
        }
        const from = (n * this.#height + first) * k;
        addProduct(into, turned, columns, count, factors.subarray(from, from + count * k), k);
      }
    }
    return into;
  }

  #vectorsOf(piece: number): number {
    return Math.min(this.#height, this.length - piece * this.#height);
  }
}
