import { threefry2x32, type Words } from "../update/threefry.js";

/** Rows of a matrix before and after, row by row, as fp32 numbers; valid until the next call. */
export interface RowPair {
  readonly base: Float32Array;
  readonly tuned: Float32Array;
}

/** A matrix of two checkpoints that can be read repeatedly, in pieces. Numbers of at most fp32. */
export interface MatrixPair {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** `count` whole rows from row `first` on. */
  read(first: number, count: number): Promise<RowPair>;
  /**
   * `count` elements from element `start` on, row by row, as bf16 codes, where both sides store them and are compared so. The
   * tuned side may be left out.
   */
  readCodes?(start: number, count: number, base: Uint16Array, tuned: Uint16Array | null): Promise<void>;
}

/** Numbers of a tile: both sides of one stay in the cache, and a row of 2^17 numbers still fits. */
const tileLength = 2 ** 20;

/** Whole rows of a tile, a multiple of four where there are as many. */
export function tileRows({ rows, columns }: MatrixPair): number {
  const fitting = Math.floor(tileLength / columns) & ~3;
  return Math.min(rows, Math.max(4, Math.min(512, fitting)));
}

/**
 * The matrix to multiply: the base, the tuned matrix, or the change; the latter two with the change's own or
 * random signs.
 */
export interface Operand {
  readonly of: "base" | "tuned" | "change";
  /** The key of the random signs; null for the change's own signs. */
  readonly signs: Words | null;
}

export interface Tile {
  readonly first: number;
  readonly count: number;
  /** count x columns, valid until the next tile. */
  readonly numbers: Float32Array;
}

/**
 * The matrix tile by tile. The change is formed in fp64 and rounded to fp32 once, which for numbers of bf16 of similar size
 * is exact.
 */
export async function* tilesOf(matrix: MatrixPair, { of: side, signs }: Operand): AsyncGenerator<Tile> {
  const { rows, columns } = matrix;
  const height = tileRows(matrix);
  const into = new Float32Array(height * columns);
  for (let first = 0; first < rows; first += height) {
    const count = Math.min(height, rows - first);
    const { base, tuned } = await matrix.read(first, count);
    const numbers = into.subarray(0, count * columns);
    if (side === "base") numbers.set(base);
    else if (signs) changeWithSigns(numbers, base, tuned, side === "tuned", signs, first * columns);
    else if (side === "tuned") numbers.set(tuned);
    else for (let i = 0; i < numbers.length; i++) numbers[i] = tuned[i] - base[i];
    yield { first, count, numbers };
  }
}

/**
 * The signs of a draw, as {@link tilesOf} takes them: a bit is set where the change of an element is turned.
 *
 * @param start a multiple of 32: the element of the first bit.
 */
export function signWords(key: Words, start: number, into: Uint32Array): void {
  for (let i = 0; i < into.length; i++) {
    const word = start / 32 + i;
    const block = Math.floor(word / 2);
    const words = threefry2x32(key, [block >>> 0, Math.floor(block / 2 ** 32)]);
    into[i] = words[word % 2];
    if (word % 2 === 0 && i + 1 < into.length) into[++i] = words[1];
  }
}

/**
 * The change with the signs of a draw, added to the base or alone: element e is turned where bit e mod 64 of the block of Threefry
 * that e / 64 counts is set, so a draw depends on neither tiles nor threads.
 *
 * @param start the index of the first element.
 */
function changeWithSigns(
  into: Float32Array,
  base: Float32Array,
  tuned: Float32Array,
  toBase: boolean,
  key: Words,
  start: number,
): void {
  for (let i = 0; i < into.length; ) {
    const element = start + i;
    const block = Math.floor(element / 64);
    const words = threefry2x32(key, [block >>> 0, Math.floor(block / 2 ** 32)]);
    const within = element % 64;
    const end = Math.min(into.length, i + (within < 32 ? 32 : 64) - within);
    let bits = within < 32 ? words[0] >>> within : words[1] >>> (within - 32);
    if (toBase) {
      for (; i < end; i++, bits >>>= 1)
        into[i] = base[i] + (1 - 2 * (bits & 1)) * Math.fround(tuned[i] - base[i]);
    } else {
      for (; i < end; i++, bits >>>= 1) into[i] = (1 - 2 * (bits & 1)) * (tuned[i] - base[i]);
    }
  }
}
