/** A byte range of a file. */
export interface Place {
  readonly file: string;
  readonly begin: number;
}

/**
 * A tensor of numbers that are codes times scales, as plain data that other threads can be given. A number is
 * code x scale, in fp32; the product or quotient of two scales is first rounded to fp32, as all dequantizers
 * do.
 */
export interface ScaledCodes {
  /** The name: `mxfp4`, `fp8-128x128`, `e4m3fn by row`. */
  readonly format: string;
  /** The format of the codes, and the bits of one; a byte holds two 4-bit codes, the first in the lower half. */
  readonly element: string;
  readonly bits: 4 | 8;
  readonly codes: Place;
  /** The size of a matrix; the tensor has one or more. */
  readonly height: number;
  readonly width: number;
  readonly elements: number;
  /** The block scales, and the tensor scale if there is one. */
  readonly scales: readonly [Scales] | readonly [blocks: Scales, tensor: Scales];
}

/** Scales in row-major order, each for a block of a matrix. */
export interface Scales extends Place {
  readonly name: string;
  readonly dtype: string;
  /** The format of a scale: that of the dtype, but bytes may be exponents. */
  readonly format: string;
  readonly count: number;
  /** The size of a block. */
  readonly rows: number;
  readonly columns: number;
  /** The number of scales per row of blocks, and per matrix (0 if all matrices share them). */
  readonly across: number;
  readonly perMatrix: number;
  /** For a tensor scale: whether block scales are divided by it. */
  readonly divides: boolean;
}

/** A run of consecutive bytes or scales. */
export interface Span {
  readonly first: number;
  readonly count: number;
}

/** The bytes of the codes of elements, counted from the first code of the tensor. */
export function codeSpan({ bits }: ScaledCodes, start: number, count: number): Span {
  const first = Math.floor((start * bits) / 8);
  return { first, count: Math.ceil(((start + count) * bits) / 8) - first };
}

/** The range of scales of some elements. Valid for at least one element. */
export function scaleSpan(
  { width, height }: ScaledCodes,
  { rows, columns, across, perMatrix }: Scales,
  start: number,
  count: number,
): Span {
  const index = (row: number, column: number) => {
    const matrix = Math.floor(row / height);
    return matrix * perMatrix + Math.floor((row % height) / rows) * across + Math.floor(column / columns);
  };
  const last = start + count - 1;
  const [from, to] = [Math.floor(start / width), Math.floor(last / width)];
  const first = from === to ? index(from, start % width) : index(from, 0);
  const end = from === to ? index(to, last % width) : index(to, width - 1);
  return { first, count: end + 1 - first };
}

/** The decoded scales of elements, and the index of the first one. */
export interface ReadScales {
  readonly first: number;
  readonly numbers: Float32Array;
}

/** Elements of one row that share their scale. */
export type EachRun = (from: number, count: number, scale: number) => void;

const fl = Math.fround;

/**
 * Calls back for each run of elements that share their scale, in order; `from` counts from `start`.
 *
 * @param scales at least those of {@link scaleSpan}.
 */
export function eachRun(
  { width, height, scales: [blocks, tensor] }: ScaledCodes,
  start: number,
  count: number,
  scales: readonly ReadScales[],
  run: EachRun,
): void {
  const [ofBlocks, ofTensor] = scales;
  const end = start + count;
  for (let at = start; at < end; ) {
    const row = Math.floor(at / width);
    const matrix = Math.floor(row / height);
    const rowEnd = Math.min(end, (row + 1) * width);
    const other = tensor ? ofTensor.numbers[matrix * tensor.perMatrix - ofTensor.first] : 1;
    const first =
      matrix * blocks.perMatrix +
      Math.floor((row - matrix * height) / blocks.rows) * blocks.across -
      ofBlocks.first;
    let column = at - row * width;
    while (at < rowEnd) {
      const block = Math.floor(column / blocks.columns);
      const scale = ofBlocks.numbers[first + block];
      const next = Math.min(rowEnd - at, (block + 1) * blocks.columns - column);
      run(at - start, next, tensor ? fl(tensor.divides ? scale / other : scale * other) : scale);
      at += next;
      column += next;
    }
  }
}
