import type { Changes, CodeCounter, CodeCounterOf } from "../../../geometry/changes.js";
import { PlainCounter } from "../../../geometry/changes.js";
import { MagnitudeCounts, magnitudeNumber, magnitudes } from "../../../geometry/sizes.js";
import { type Kernel, webAssembly } from "../platform.js";
import {
  changesModule,
  layout,
  memorySize,
  mostColumns,
  mostRows,
  report,
  tileLength,
  vectorLength,
} from "./kernel.js";

/** The compiled kernel; threads that it is sent to run the same machine code. Null where there is none. */
export type ChangesKernel = object | null;

/** Null where there is no SIMD, or where it does not count as the plain counter does. */
export async function provenChanges(): Promise<ChangesKernel> {
  if (!webAssembly) return null;
  const bytes = changesModule();
  if (!webAssembly.validate(bytes)) return null;
  const kernel = await webAssembly.compile(bytes);
  return countsRightly(kernel) ? kernel : null;
}

/** Counts bf16 codes by WebAssembly; null without a kernel. Counters of a kernel share its memory: one at a time. */
export function codeCounterOf(kernel: ChangesKernel): CodeCounterOf | null {
  if (kernel === null || !webAssembly) return null;
  const memory = new webAssembly.Memory({ initial: memorySize.pages, maximum: memorySize.pages });
  const { exports } = new webAssembly.Instance(kernel, { host: { memory } });
  return (columns) =>
    columns > mostColumns || columns < vectorLength
      ? null
      : new WasmCounter(memory.buffer as ArrayBuffer, exports.count, exports.sum, columns);
}

class WasmCounter implements CodeCounter {
  readonly height: number;
  readonly base: Uint16Array;
  readonly tuned: Uint16Array;
  readonly #buffer: ArrayBuffer;
  readonly #count: Kernel;
  readonly #sum: Kernel;
  readonly #width: number;
  /** Columns of whole vectors; the others are counted here. */
  readonly #whole: number;
  readonly #columns: Uint32Array;
  #changeSquared = 0;
  #largest = 0;

  constructor(buffer: ArrayBuffer, count: Kernel, sum: Kernel, columns: number) {
    [this.#buffer, this.#count, this.#sum, this.#width] = [buffer, count, sum, columns];
    this.#whole = columns - (columns % vectorLength);
    this.height = Math.max(1, Math.min(mostRows, Math.floor(tileLength / columns)));
    this.base = new Uint16Array(buffer, layout.base, this.height * columns);
    this.tuned = new Uint16Array(buffer, layout.tuned, this.height * columns);
    this.#columns = new Uint32Array(columns);
    new Uint8Array(buffer, layout.magnitudes, 8 * magnitudes).fill(0);
  }

  count(rows: Uint32Array): void {
    const width = this.#width;
    const inColumns = new Uint16Array(this.#buffer, layout.columns, this.#whole).fill(0);
    const squares = new Float64Array(this.#buffer, layout.report + report.squares, 2);
    const changed = new Uint16Array(this.#buffer, layout.report + report.changed, 8);
    const largest = new Uint16Array(this.#buffer, layout.report + report.largest, 8);
    for (let row = 0; row < rows.length; row++) {
      const start = 2 * row * width;
      const end = layout.base + start + 2 * this.#whole;
      this.#count(layout.base + start, layout.tuned + start, end, layout.columns);
      let inRow = 0;
      for (let lane = 0; lane < 8; lane++) {
        inRow += changed[lane];
        this.#largest = Math.max(this.#largest, largest[lane]);
      }
      this.#changeSquared += squares[0] + squares[1];
      rows[row] = this.#whole < width ? inRow + this.#rest(row) : inRow;
    }
    for (let j = 0; j < this.#whole; j++) this.#columns[j] += inColumns[j];
  }

  /** Counts the columns of a row that are no whole vector. */
  #rest(row: number): number {
    const words = new Uint32Array(this.#buffer, layout.magnitudes, 2 * magnitudes);
    let inRow = 0;
    for (let j = this.#whole; j < this.#width; j++) {
      const [a, b] = [this.base[row * this.#width + j], this.tuned[row * this.#width + j]];
      const [sizeOfA, sizeOfB] = [a & 0x7fff, b & 0x7fff];
      this.#largest = Math.max(this.#largest, sizeOfA, sizeOfB);
      const isSame = a === b || (sizeOfA === 0 && sizeOfB === 0);
      words[2 * sizeOfA + (isSame ? 0 : 1)] += 1;
      if (isSame) continue;
      this.#columns[j] += 1;
      inRow += 1;
      const change = Math.fround(numberOf(b) - numberOf(a));
      this.#changeSquared += change * change;
    }
    return inRow;
  }

  end(): Omit<Changes, "mask" | "rows"> | null {
    // Inf and NaN.
    if (this.#largest >= 0x7f80) return null;
    const words = new Uint32Array(this.#buffer, layout.magnitudes, 2 * magnitudes);
    const counts = new MagnitudeCounts();
    let baseSquared = 0;
    for (let i = 0; i < magnitudes; i++) {
      counts.changed[i] = words[2 * i + 1];
      counts.all[i] = words[2 * i] + words[2 * i + 1];
      if (counts.all[i] > 0) baseSquared += counts.all[i] * magnitudeNumber(i) ** 2;
    }
    return { counts, columns: this.#columns, baseSquared, changeSquared: this.#changeSquared, nonfinite: 0 };
  }

  shares(shares: Float64Array): void {
    const table = new Float32Array(this.#buffer, layout.shares, magnitudes / 32);
    for (let i = 0; i < table.length; i++) table[i] = shares[32 * i];
  }

  sum(rows: Float64Array, columns: Float64Array): void {
    const table = new Float32Array(this.#buffer, layout.shares, magnitudes / 32);
    const inColumns = new Float32Array(this.#buffer, layout.columnShares, this.#whole).fill(0);
    const inRow = new Float32Array(this.#buffer, layout.report + report.shares, 4);
    for (let row = 0; row < rows.length; row++) {
      const start = layout.base + 2 * row * this.#width;
      this.#sum(start, start + 2 * this.#whole, layout.columnShares);
      rows[row] = inRow[0] + inRow[1] + inRow[2] + inRow[3];
      for (let j = this.#whole; j < this.#width; j++) {
        const share = table[(this.base[row * this.#width + j] & 0x7fff) >>> 5];
        rows[row] += share;
        columns[j] += share;
      }
    }
    for (let j = 0; j < this.#whole; j++) columns[j] += inColumns[j];
  }
}

function numberOf(code: number): number {
  return code < 0x8000 ? magnitudeNumber(code) : -magnitudeNumber(code & 0x7fff);
}

/** Finite codes of all kinds, zeros of both signs among them, and one that is not. */
function countsRightly(kernel: object): boolean {
  const [rows, columns] = [5, 43];
  const codes = (step: number) =>
    Uint16Array.from({ length: rows * columns }, (_, i) => {
      const code = (i * 0x9e37 + (i % 3 === 0 ? step : 0)) & 0xffff;
      return (code & 0x7f80) === 0x7f80 ? code & 0xf07f : i % 17 === 0 ? step << 15 : code;
    });
  const [base, tuned] = [codes(0), codes(1)];
  const counted = () => {
    const counter = codeCounterOf(kernel)!(columns)!;
    counter.base.set(base);
    counter.tuned.set(tuned);
    const inRows = new Uint32Array(rows);
    counter.count(inRows);
    return { inRows, ended: counter.end() };
  };
  const { inRows, ended } = counted();
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
  tuned[columns + 9] = 0x7f80;
  return counted().ended === null;
}
