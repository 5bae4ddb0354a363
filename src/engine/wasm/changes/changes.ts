import type { CodeCounter, CodeCounterOf, PlainChanges } from "../../../geometry/changes.js";
import { PlainCounter } from "../../../geometry/changes.js";
import { MagnitudeCounts, magnitudeNumber, magnitudes, perSize } from "../../../geometry/sizes.js";
import { DifferenceTally } from "../../../lens/difference/difference.js";
import type { Comparison } from "../../../lens/difference/difference-codes.js";
import { comparisonIn, type DifferenceKernel, memorySize } from "../difference/comparison.js";
import { gathers } from "../difference/layout.js";
import { type Kernel, webAssembly } from "../platform.js";
import {
  changesModule,
  groupLength,
  layout,
  mostColumns,
  mostRows,
  report,
  tileLength,
  wholeShare,
  windowLength,
} from "./kernel.js";

/** The compiled kernel, which can be sent to threads without compiling it again. Null if there is none. */
export type ChangesKernel = object | null;

/** Null if there is no SIMD, or if the kernel's counts differ from those of the scalar counter. */
export async function provenChanges(): Promise<ChangesKernel> {
  if (!webAssembly) return null;
  const bytes = changesModule();
  if (!webAssembly.validate(bytes)) return null;
  const kernel = await webAssembly.compile(bytes);
  return countsRightly(kernel) ? kernel : null;
}

/**
 * Counts bf16 codes by WebAssembly; null without a kernel. Counters share the kernel's memory: use one at a time.
 *
 * @param difference the kernel of `diff`, to compare the pieces too while they are in the cache.
 */
export function codeCounterOf(
  kernel: ChangesKernel,
  difference: DifferenceKernel = null,
): CodeCounterOf | null {
  if (kernel === null || !webAssembly) return null;
  const memory = new webAssembly.Memory({ initial: memorySize.pages, maximum: memorySize.pages });
  const { exports } = new webAssembly.Instance(kernel, { host: { memory } });
  const comparison = difference && comparisonIn(memory, difference);
  new Uint8Array(memory.buffer as ArrayBuffer).set(gathers(), layout.gathers);
  return (columns) =>
    columns > mostColumns || columns < groupLength
      ? null
      : new WasmCounter(memory.buffer as ArrayBuffer, exports, comparison, columns);
}

class WasmCounter implements CodeCounter {
  readonly pieceLength = tileLength;
  readonly height: number;
  readonly base: Uint16Array;
  readonly tuned: Uint16Array;
  readonly #buffer: ArrayBuffer;
  /** All of it. */
  readonly #codes: Uint16Array;
  readonly #count: Kernel;
  readonly #sum: Kernel;
  readonly #comparison: Comparison | null;
  readonly #difference = new DifferenceTally();
  readonly #width: number;
  /** Columns in whole groups; the others are counted on the host. */
  readonly #whole: number;
  readonly #columns: Uint32Array;
  /** Changes by column in WebAssembly memory, of {@link #rows} rows. */
  readonly #inColumns: Uint16Array;
  readonly #shareColumns: Uint32Array;
  #rows = 0;
  /** Rows that were counted, and elements of the next that lie before the piece. */
  #counted = 0;
  #begun = 0;
  /** The share represented by {@link wholeShare}. */
  #unit = 0;
  /** Shared with the kernel, which counts in them. */
  readonly #all: Uint32Array;
  readonly #changed: Uint32Array;
  readonly #largest: Uint16Array;
  readonly #changeSquared: Float64Array;
  /** By row of a tile. */
  readonly #inRows: Uint32Array;
  readonly #shareTable: Uint32Array;

  constructor(
    buffer: ArrayBuffer,
    { countRows, sumRows }: Readonly<Record<string, Kernel>>,
    comparison: Comparison | null,
    columns: number,
  ) {
    [this.#buffer, this.#count, this.#sum, this.#width] = [buffer, countRows, sumRows, columns];
    this.#codes = new Uint16Array(buffer);
    this.#comparison = comparison;
    // What an error left of another matrix.
    comparison?.end(new DifferenceTally());
    this.#whole = columns - (columns % groupLength);
    this.height = Math.max(1, Math.min(mostRows, Math.floor(tileLength / columns)));
    this.base = new Uint16Array(buffer, layout.base, Math.max(tileLength, columns));
    this.tuned = new Uint16Array(buffer, layout.tuned, tileLength);
    this.#columns = new Uint32Array(columns);
    this.#inColumns = new Uint16Array(buffer, layout.columns, this.#whole).fill(0);
    this.#shareColumns = new Uint32Array(buffer, layout.columnShares, this.#whole).fill(0);
    [this.#all, this.#changed] = [layout.all, layout.changed].map((at) =>
      new Uint32Array(buffer, at, magnitudes).fill(0),
    );
    this.#largest = new Uint16Array(buffer, layout.report + report.largest, 8).fill(0);
    this.#changeSquared = new Float64Array(buffer, layout.report + report.allSquares, 2).fill(0);
    this.#inRows = new Uint32Array(buffer, layout.rows, 4 * (this.height + 1));
    this.#shareTable = new Uint32Array(buffer, layout.shares, sizes);
  }

  count(elements: number, rows: Uint32Array): void {
    const [base, tuned] = [layout.base, layout.tuned].map(
      (at) => new Uint8Array(this.#buffer, at, 2 * elements),
    );
    this.#comparison?.compare(base, tuned, this.#difference);
    const known = this.#begun + elements;
    const ended = Math.floor(known / this.#width);
    if (ended > 0) this.#countRows(rows.subarray(this.#counted, this.#counted + ended));
    this.#counted += ended;
    this.#begun = known - ended * this.#width;
    // The row that has not ended moves before the next piece.
    for (const piece of [layout.base, layout.tuned]) {
      const [begin, end] = [piece / 2 + elements - this.#begun, piece / 2 + elements];
      this.#codes.copyWithin(piece / 2 - this.#begun, begin, end);
    }
  }

  /** Counts rows from the one that has begun. */
  #countRows(rows: Uint32Array): void {
    const [width, rowBytes, bytes] = [this.#width, 2 * this.#width, 2 * this.#whole];
    const [base, tuned] = [layout.base, layout.tuned].map((piece) => piece - 2 * this.#begun);
    if (this.#rows + rows.length > mostRows) this.#takeColumns();
    this.#rows += rows.length;
    if (this.#whole === width) {
      this.#count(base, tuned, rows.length, rowBytes, bytes, layout.columns);
      rows.set(this.#inRows.subarray(0, rows.length));
      return;
    }
    for (let row = 0; row < rows.length; row++) {
      const start = row * rowBytes;
      this.#count(base + start, tuned + start, 1, rowBytes, bytes, layout.columns);
      rows[row] = this.#inRows[0] + this.#rest((base + start) / 2, (tuned + start) / 2);
    }
  }

  #takeColumns(): void {
    for (let j = 0; j < this.#whole; j++) this.#columns[j] += this.#inColumns[j];
    this.#inColumns.fill(0);
    this.#rows = 0;
  }

  /** Counts the columns of a row after the last whole group. Its places are in codes. */
  #rest(base: number, tuned: number): number {
    const [all, changed] = [this.#all, this.#changed];
    let inRow = 0;
    for (let j = this.#whole; j < this.#width; j++) {
      const [a, b] = [this.#codes[base + j], this.#codes[tuned + j]];
      const [sizeOfA, sizeOfB] = [a & 0x7fff, b & 0x7fff];
      this.#largest[0] = Math.max(this.#largest[0], 2 * sizeOfB);
      const isSame = a === b || (sizeOfA === 0 && sizeOfB === 0);
      all[sizeOfA] += 1;
      if (isSame) continue;
      changed[sizeOfA] += 1;
      this.#columns[j] += 1;
      inRow += 1;
      const change = Math.fround(numberOf(b) - numberOf(a));
      this.#changeSquared[0] += change * change;
      this.#changeSquared[1] = this.#changeSquared[0];
    }
    return inRow;
  }

  end(): { changes: Omit<PlainChanges, "rows"> | null; difference: DifferenceTally | null } {
    this.#comparison?.end(this.#difference);
    return { changes: this.#changes(), difference: this.#comparison && this.#difference };
  }

  #changes(): Omit<PlainChanges, "rows"> | null {
    const all = this.#all;
    const counts = new MagnitudeCounts();
    counts.changed.set(this.#changed);
    counts.all.set(all);
    const largest = Math.max(counts.occurring.at(-1) ?? 0, ...this.#largest.map((doubled) => doubled / 2));
    // Inf and NaN.
    if (largest >= 0x7f80) return null;
    let baseSquared = 0;
    const { occurring } = counts;
    for (let n = 0; n < occurring.length; n++) {
      const i = occurring[n];
      const number = magnitudeNumber(i);
      baseSquared += all[i] * (number * number);
    }
    this.#takeColumns();
    return {
      counts,
      columns: this.#columns,
      baseSquared,
      changeSquared: this.#changeSquared[0],
      nonfinite: 0,
    };
  }

  shares(counts: MagnitudeCounts, shares: Float64Array): void {
    const table = this.#shareTable;
    let largest = 0;
    for (let size = 0; size < sizes; size++) largest = Math.max(largest, shares[perSize * size]);
    this.#unit = largest / wholeShare;
    for (let size = 0; size < sizes; size++) {
      table[size] = largest > 0 ? Math.round(shares[perSize * size] / this.#unit) : 0;
    }
    const first = fullestWindow(counts);
    new Uint16Array(this.#buffer, layout.window, 8).fill(first);
    const [low, high] = [layout.low, layout.high].map((at) => new Uint8Array(this.#buffer, at, windowLength));
    for (let i = 0; i < windowLength; i++)
      [low[i], high[i]] = [table[first + i] & 255, table[first + i] >> 8];
  }

  sum(rows: Float64Array, columns: Float64Array): void {
    const [width, table, inRow] = [this.#width, this.#shareTable, this.#inRows];
    if (this.#rows + rows.length > mostRows) this.endSum(columns);
    this.#rows += rows.length;
    this.#sum(layout.base, rows.length, 2 * width, 2 * this.#whole, layout.columnShares);
    for (let row = 0, at = 0; row < rows.length; row++, at += 4) {
      let sum = inRow[at] + inRow[at + 1] + inRow[at + 2] + inRow[at + 3];
      for (let j = this.#whole; j < width; j++) {
        const share = table[(this.base[row * width + j] & 0x7fff) >>> 5];
        sum += share;
        columns[j] += this.#unit * share;
      }
      rows[row] = this.#unit * sum;
    }
  }

  endSum(columns: Float64Array): void {
    for (let j = 0; j < this.#whole; j++) columns[j] += this.#unit * this.#shareColumns[j];
    this.#shareColumns.fill(0);
    this.#rows = 0;
  }
}

const sizes = magnitudes / perSize;

/** The first size of the window with the most weights, among windows of {@link windowLength} sizes. */
function fullestWindow({ all, occurring }: MagnitudeCounts): number {
  const bySize = new Float64Array(sizes);
  for (let n = 0; n < occurring.length; n++) bySize[Math.floor(occurring[n] / perSize)] += all[occurring[n]];
  let inside = 0;
  for (let size = 0; size < windowLength; size++) inside += bySize[size];
  let [first, most] = [0, inside];
  for (let next = 1; next + windowLength <= sizes; next++) {
    inside += bySize[next + windowLength - 1] - bySize[next - 1];
    if (inside > most) [first, most] = [next, inside];
  }
  return first;
}

function numberOf(code: number): number {
  return code < 0x8000 ? magnitudeNumber(code) : -magnitudeNumber(code & 0x7fff);
}

/**
 * Whether a kernel counts like the scalar counter: codes of all sizes, and of few sizes, which are looked up in
 * vectors.
 */
function countsRightly(kernel: object): boolean {
  const [rows, columns] = [5, 43];
  const codes = (step: number, ofSize: (code: number) => number) =>
    Uint16Array.from({ length: rows * columns }, (_, i) => {
      const code = (i * 0x9e37 + (i % 3 === 0 ? step : 0)) & 0xffff;
      return (code & 0x7f80) === 0x7f80 ? code & 0xf07f : i % 17 === 0 ? step << 15 : ofSize(code);
    });
  const ofSizes = [(code: number) => code, (code: number) => (code & 0x83ff) | 0x3a00];
  return ofSizes.every((ofSize) => {
    const [base, tuned] = [codes(0, ofSize), codes(1, ofSize)];
    if (!isRight(kernel, { rows, columns }, base, tuned)) return false;
    tuned[columns + 9] = 0x7f80;
    const counter = codeCounterOf(kernel)!(columns)!;
    counter.base.set(base);
    counter.tuned.set(tuned);
    counter.count(rows * columns, new Uint32Array(rows));
    return counter.end().changes === null;
  });
}

function isRight(
  kernel: object,
  { rows, columns }: { rows: number; columns: number },
  base: Uint16Array,
  tuned: Uint16Array,
): boolean {
  const counter = codeCounterOf(kernel)!(columns)!;
  counter.base.set(base);
  counter.tuned.set(tuned);
  const inRows = new Uint32Array(rows);
  counter.count(rows * columns, inRows);
  const ended = counter.end().changes;
  const plain = new PlainCounter({ rows, columns });
  const [from, to] = [base, tuned].map((stored) => Float32Array.from(stored, numberOf));
  plain.add(from, to, 0, rows);
  const right = plain.end();
  const same = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).every((x, i) => x === b[i]);
  const close = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * b;
  if (
    ended === null ||
    !same(inRows, right.rows) ||
    !same(ended.columns, right.columns) ||
    !same(ended.counts.all, right.counts.all) ||
    !same(ended.counts.changed, right.counts.changed) ||
    !close(ended.baseSquared, right.baseSquared) ||
    !close(ended.changeSquared, right.changeSquared)
  ) {
    return false;
  }
  const shares = right.counts.shareBySize();
  const [byRow, byColumn] = [new Float64Array(rows), new Float64Array(columns)];
  counter.shares(right.counts, shares);
  counter.sum(byRow, byColumn);
  counter.endSum(byColumn);
  const share = (i: number) => shares[base[i] & 0x7fff];
  // A share is off by at most half a unit.
  const near = (found: number, at: (n: number) => number, count: number) => {
    let sum = 0;
    for (let n = 0; n < count; n++) sum += share(at(n));
    return Math.abs(found - sum) <= count / wholeShare;
  };
  return (
    byRow.every((found, row) => near(found, (j) => row * columns + j, columns)) &&
    byColumn.every((found, column) => near(found, (row) => row * columns + column, rows))
  );
}
