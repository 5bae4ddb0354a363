import type { DifferenceTally } from "../lens/difference/difference.js";
import { type MatrixPair, tileRows } from "./matrix.js";
import { MagnitudeCounts } from "./sizes.js";

/** The counts of one pass over both sides of a matrix. */
export interface Changes {
  readonly counts: MagnitudeCounts;
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
  /** ||W||^2 and ||dW||^2 */
  readonly baseSquared: number;
  readonly changeSquared: number;
  /** NaN or Inf on either side. */
  readonly nonfinite: number;
  /** A bit for each weight that changed, 32 a word. */
  readonly mask: Uint32Array | null;
  /** The counts of `diff`, where they were made on the way. */
  readonly difference: DifferenceTally | null;
}

/** What numbers are counted for themselves. */
export type PlainChanges = Omit<Changes, "mask" | "difference">;

/**
 * Counts bf16 codes directly, tile by tile: the twin of {@link PlainCounter} and {@link expectedMargins} in
 * an engine.
 */
export interface CodeCounter {
  /** A piece of either side, to be filled: of as many elements for the counts, of whole rows for the sums. */
  readonly base: Uint16Array;
  readonly tuned: Uint16Array;
  /** Elements of a piece, which may begin and end within rows. */
  readonly pieceLength: number;
  /** Rows of a piece for the sums, at most. */
  readonly height: number;
  /** Counts so many elements, which follow those before; sets the changes of each row that they complete. */
  count(elements: number, rows: Uint32Array): void;
  end(): {
    /** Null if a number was not finite. */
    readonly changes: Omit<PlainChanges, "rows"> | null;
    readonly difference: DifferenceTally | null;
  };
  /** Sets what {@link sum} adds up: by magnitude, the same for each size; and of which there are how many. */
  shares(counts: MagnitudeCounts, shares: Float64Array): void;
  /** Sums over as many rows of the tile of the base, and adds to those over columns, at the latest at the end. */
  sum(rows: Float64Array, columns: Float64Array): void;
  endSum(columns: Float64Array): void;
}

/** Null for unsupported matrices. */
export type CodeCounterOf = (columns: number) => CodeCounter | null;

/**
 * Counts what changed, by magnitude of the base, by row and by column.
 *
 * @param withMask whether to note which weights changed, for the overlap with another model.
 * @param codes counts codes, where the matrix has them.
 */
export async function countChanges(
  matrix: MatrixPair,
  withMask = false,
  codes: CodeCounterOf | null = null,
): Promise<Changes> {
  const counter = withMask || !matrix.readCodes ? null : codes?.(matrix.columns);
  const counted = counter ? await countCodes(matrix, counter) : null;
  const changes = counted?.changes ?? (await countNumbers(matrix, withMask));
  return { mask: null, ...changes, difference: counted?.difference ?? null };
}

async function countNumbers(matrix: MatrixPair, withMask: boolean): Promise<Omit<Changes, "difference">> {
  const { rows, columns } = matrix;
  const counter = new PlainCounter(matrix);
  const mask = withMask ? new Uint32Array(Math.ceil((rows * columns) / 32)) : null;
  const height = tileRows(matrix);
  for (let first = 0; first < rows; first += height) {
    const count = Math.min(height, rows - first);
    const { base, tuned } = await matrix.read(first, count);
    counter.add(base, tuned, first, count);
    if (mask) {
      for (let i = 0; i < base.length; i++) {
        const element = first * columns + i;
        if (base[i] !== tuned[i]) mask[element >>> 5] |= 1 << (element & 31);
      }
    }
  }
  return { ...counter.end(), mask };
}

async function countCodes(matrix: MatrixPair, counter: CodeCounter) {
  const rows = new Uint32Array(matrix.rows);
  const elements = matrix.rows * matrix.columns;
  for (let start = 0; start < elements; start += counter.pieceLength) {
    const count = Math.min(counter.pieceLength, elements - start);
    await matrix.readCodes!(start, count, counter.base, counter.tuned);
    counter.count(count, rows);
  }
  const { changes, difference } = counter.end();
  return { changes: changes && { ...changes, rows }, difference };
}

/** In plain numbers. */
export class PlainCounter {
  readonly #counts = new MagnitudeCounts();
  readonly #rows: Uint32Array;
  readonly #columns: Uint32Array;
  readonly #width: number;
  #baseSquared = 0;
  #changeSquared = 0;
  #nonfinite = 0;

  constructor({ rows, columns }: Pick<MatrixPair, "rows" | "columns">) {
    this.#rows = new Uint32Array(rows);
    this.#columns = new Uint32Array(columns);
    this.#width = columns;
  }

  add(base: Float32Array, tuned: Float32Array, first: number, count: number): void {
    const bits = new Uint32Array(base.buffer, base.byteOffset, base.length);
    const { all, changed } = this.#counts;
    const [columns, width] = [this.#columns, this.#width];
    for (let row = 0; row < count; row++) {
      const end = (row + 1) * width;
      let [inRow, baseSquared, changeSquared] = [0, 0, 0];
      for (let i = row * width, j = 0; i < end; i++, j++) {
        const [w, after] = [base[i], tuned[i]];
        // Inf - Inf and everything with a NaN is NaN.
        const change = after - w;
        if (change - change !== 0 || w - w !== 0) {
          this.#nonfinite += 1;
          continue;
        }
        const magnitude = (bits[i] & 0x7fffffff) >>> 16;
        all[magnitude] += 1;
        baseSquared += w * w;
        if (change === 0) continue;
        changed[magnitude] += 1;
        columns[j] += 1;
        inRow += 1;
        changeSquared += change * change;
      }
      this.#rows[first + row] = inRow;
      this.#baseSquared += baseSquared;
      this.#changeSquared += changeSquared;
    }
  }

  end(): PlainChanges {
    return {
      counts: this.#counts,
      rows: this.#rows,
      columns: this.#columns,
      baseSquared: this.#baseSquared,
      changeSquared: this.#changeSquared,
      nonfinite: this.#nonfinite,
    };
  }
}

/** Mean shares of rows and columns. */
export interface Margins {
  readonly rows: Float64Array;
  readonly columns: Float64Array;
}

/** The expected changes of rows and columns by size alone: one more pass over the base. */
export async function expectedMargins(
  matrix: MatrixPair,
  counts: MagnitudeCounts,
  codes: CodeCounterOf | null = null,
): Promise<Margins> {
  const { rows, columns } = matrix;
  const byRow = new Float64Array(rows);
  const byColumn = new Float64Array(columns);
  const counter = matrix.readCodes ? codes?.(columns) : null;
  const shares = counts.shareBySize();
  counter?.shares(counts, shares);
  if (counter) await sumCodes(matrix, counter, byRow, byColumn);
  else await sumNumbers(matrix, shares, byRow, byColumn);
  divide(byRow, columns);
  divide(byColumn, rows);
  return { rows: byRow, columns: byColumn };
}

/** A function of its own: within one that waits it takes longer to compile than to do. */
function divide(numbers: Float64Array, by: number): void {
  for (let i = 0; i < numbers.length; i++) numbers[i] /= by;
}

async function sumCodes(
  matrix: MatrixPair,
  counter: CodeCounter,
  byRow: Float64Array,
  byColumn: Float64Array,
): Promise<void> {
  for (let first = 0; first < matrix.rows; first += counter.height) {
    const count = Math.min(counter.height, matrix.rows - first);
    await matrix.readCodes!(first * matrix.columns, count * matrix.columns, counter.base, null);
    counter.sum(byRow.subarray(first, first + count), byColumn);
  }
  counter.endSum(byColumn);
}

async function sumNumbers(
  matrix: MatrixPair,
  shares: Float64Array,
  byRow: Float64Array,
  byColumn: Float64Array,
): Promise<void> {
  const { rows, columns } = matrix;
  const table = Float32Array.from(shares);
  const height = tileRows(matrix);
  for (let first = 0; first < rows; first += height) {
    const count = Math.min(height, rows - first);
    const { base } = await matrix.read(first, count);
    const bits = new Uint32Array(base.buffer, base.byteOffset, base.length);
    for (let row = 0; row < count; row++) {
      let sum = 0;
      for (let i = row * columns, j = 0; j < columns; i++, j++) {
        const share = table[(bits[i] & 0x7fffffff) >>> 16];
        sum += share;
        byColumn[j] += share;
      }
      byRow[first + row] = sum;
    }
  }
}
