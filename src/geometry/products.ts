import type { MatrixPair, Operand } from "./matrix.js";
import { tileRows, tilesOf } from "./matrix.js";

/** Products of the tiles of a matrix with a block of vectors X, columns x width. */
export interface Products {
  /** Sets X and clears the sum. */
  begin(x: Float64Array): void;
  /**
   * A tile of whole rows times X, count x width; valid until the next call.
   *
   * @param tile null: what {@link CodeTile.form} made.
   * @param gather adds tile' (tile X) to what is gathered.
   */
  multiply(tile: Float32Array | null, count: number, gather: boolean): Float64Array;
  /** A' A X over the tiles so far, columns x width. */
  gathered(): Float64Array;
  /** Where products take tiles as codes; null or absent where they do not. */
  readonly codes?: CodeTile | null;
}

/** A tile of bf16 codes of both sides, of which that of an operand is made where it is multiplied. */
export interface CodeTile {
  readonly base: Uint16Array;
  readonly tuned: Uint16Array;
  /** Makes as many rows of what {@link tilesOf} gives for the operand, from an element of the matrix on. */
  form(operand: Operand, start: number, count: number): void;
}

/** Makes products for blocks of a shape: those of an engine, or {@link plainProducts}. `rows` is the most that a tile has. */
export type ProductsOf = (columns: number, width: number, rows: number) => Products;

/** In fp64 throughout: the oracle of the engines' fp32 tiles. */
export const plainProducts: ProductsOf = (columns, width) => {
  let x: Float64Array = new Float64Array(0);
  let gathered = new Float64Array(0);
  let into = new Float64Array(0);
  return {
    begin(block) {
      x = block;
      gathered = new Float64Array(columns * width);
    },
    multiply(tile, count, gather) {
      if (tile === null) throw new Error("codes are not taken here");
      if (into.length < count * width) into = new Float64Array(count * width);
      const y = into.subarray(0, count * width).fill(0);
      for (let row = 0; row < count; row++) {
        const [at, to] = [row * columns, row * width];
        for (let i = 0; i < columns; i++) {
          const factor = tile[at + i];
          if (factor === 0) continue;
          for (let j = 0, from = i * width; j < width; j++) y[to + j] += factor * x[from + j];
        }
        if (!gather) continue;
        for (let i = 0; i < columns; i++) {
          const factor = tile[at + i];
          if (factor === 0) continue;
          for (let j = 0, sum = i * width; j < width; j++) gathered[sum + j] += factor * y[to + j];
        }
      }
      return y;
    },
    gathered: () => gathered,
  };
};

/** The result of one pass over a matrix. */
export interface Passage {
  /** A X, rows x width. */
  readonly image: Float64Array;
  /** A' A X, columns x width. */
  readonly gathered: Float64Array;
}

/** Multiplies a block of vectors by a matrix and its transpose. */
export async function passThrough(
  matrix: MatrixPair,
  operand: Operand,
  products: Products,
  x: Float64Array,
  width: number,
): Promise<Passage> {
  const image = new Float64Array(matrix.rows * width);
  products.begin(x);
  const { codes } = products;
  if (codes && matrix.readCodes) {
    const height = tileRows(matrix);
    for (let first = 0; first < matrix.rows; first += height) {
      const count = Math.min(height, matrix.rows - first);
      const start = first * matrix.columns;
      const tuned = operand.of === "base" ? null : codes.tuned;
      await matrix.readCodes(start, count * matrix.columns, codes.base, tuned);
      codes.form(operand, start, count);
      image.set(products.multiply(null, count, true), first * width);
    }
    return { image, gathered: products.gathered() };
  }
  for await (const { first, count, numbers } of tilesOf(matrix, operand)) {
    image.set(products.multiply(numbers, count, true), first * width);
  }
  return { image, gathered: products.gathered() };
}
