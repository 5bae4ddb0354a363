import type { Values } from "../../lens/input.js";

/** Rows and columns of a square: a multiple of the block sizes of all block formats. */
const side = 128;

export interface Square {
  readonly numbers: Float32Array;
  readonly shape: readonly [rows: number, columns: number];
}

/**
 * Squares of 128 x 128 numbers evenly spread over a tensor, clipped at its edges. The last two dimensions are rows and
 * columns; a tensor of one dimension is a row.
 *
 * @param most null for all.
 */
export async function* squaresOf(
  values: Values,
  shape: readonly number[],
  most: number | null,
): AsyncGenerator<Square> {
  const [height, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  if (values.length === 0) return;
  const matrices = values.length / (height * width);
  const [down, across] = [Math.ceil(height / side), Math.ceil(width / side)];
  const all = matrices * down * across;
  const taken = Math.min(most ?? all, all);
  for (let n = 0; n < taken; n++) {
    const square = Math.floor(((n + 0.5) * all) / taken);
    const matrix = Math.floor(square / (down * across));
    const [top, left] = [side * (Math.floor(square / across) % down), side * (square % across)];
    const rows = Math.min(side, height - top);
    const columns = Math.min(side, width - left);
    const numbers = new Float32Array(rows * columns);
    const piece = new Float64Array(columns);
    for (let row = 0; row < rows; row++) {
      await values.read((matrix * height + top + row) * width + left, piece);
      numbers.set(piece, row * columns);
    }
    yield { numbers, shape: [rows, columns] };
  }
}
