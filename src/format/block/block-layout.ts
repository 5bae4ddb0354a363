import type { BlockFormat } from "./block-format.js";

/** The block positions of a tensor, from its shape: rows have the last length, matrices the last two. */
export class BlockLayout {
  /** The tensor's shape. */
  readonly blocks: number;
  readonly #width: number;
  readonly #height: number;
  readonly #rows: number;
  readonly #columns: number;
  readonly #across: number;
  readonly #down: number;

  constructor(shape: readonly number[], { rows, columns }: Pick<BlockFormat, "rows" | "columns">) {
    this.#width = shape.at(-1) ?? 1;
    this.#height = shape.at(-2) ?? 1;
    this.#rows = rows;
    this.#columns = columns;
    this.#across = Math.ceil(this.#width / columns);
    this.#down = Math.ceil(this.#height / rows);
    const matrices = shape.slice(0, -2).reduce((product, length) => product * length, 1);
    this.blocks = matrices * this.#down * this.#across;
  }

  /** The block of an element. Blocks are numbered row by row, in the order of scales in files. */
  blockOf(element: number): number {
    const row = Math.floor(element / this.#width);
    const matrix = Math.floor(row / this.#height);
    const down = Math.floor((row % this.#height) / this.#rows);
    return (matrix * this.#down + down) * this.#across + Math.floor((element % this.#width) / this.#columns);
  }

  /** Whether a tensor can be cut here: no block has elements on both sides. */
  isCut(element: number): boolean {
    const column = element % this.#width;
    if (this.#rows === 1) return column % this.#columns === 0;
    return column === 0 && (Math.floor(element / this.#width) % this.#height) % this.#rows === 0;
  }
}

/**
 * The ends of pieces of about `length` elements that cut no block; all but the last are multiples of `step`.
 */
export function pieceEnds(
  elements: number,
  layouts: readonly BlockLayout[],
  length: number,
  step: number,
): number[] {
  const ends: number[] = [];
  for (let end = 0; end < elements; ) {
    end += Math.max(1, Math.ceil(length / step)) * step;
    while (end < elements && !layouts.every((layout) => layout.isCut(end))) end += step;
    ends.push(Math.min(end, elements));
  }
  return ends;
}
