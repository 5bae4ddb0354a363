import { format } from "../../format/registry.js";
import type { Comparer } from "../../lens/difference/difference-codes.js";
import { type CodeRuns, tableBytes, writeTable4, writeTable8 } from "../../lens/difference/look-up.js";
import { narrowToBf16 } from "../../lens/narrow.js";
import { blockLength } from "../../lens/sum.js";
import type { FileReader } from "../file-reader.js";
import { tableOf } from "../safetensors/decode.js";
import { decodeScales, product, scaleBytes } from "../scaled/decode.js";
import { type ScaledCodes, type Span, scaleSpan } from "../scaled/scaled-codes.js";
import { readScales, type ScaledRange } from "./scaled-range.js";

/** Shorter runs of elements with one scale do not justify a table. */
const shortestRun = 16;

/** Elements that are given tables at once, at most. */
export const mostElements = 2 ** 19;

/** The maximum number of tables: one for each code of an 8-bit scale. */
const mostTables = 256;

const none = new Uint32Array(0);

/** Elements in runs, each with the table of its scale. */
export interface TabledCodes {
  readonly element: string;
  /** Elements per run; divides blockLength. */
  readonly run: number;
  readonly runs: CodeRuns;
}

/** The elements from `from` to `to`, both at boundaries of runs. */
export function partOf({ element, run, runs }: TabledCodes, from: number, to: number): TabledCodes {
  const [first, end] = [from / run, to / run];
  const { codes, bits, scales, bytes } = runs;
  const part = {
    codes: codes.subarray(first * bytes, end * bytes),
    bits,
    scales: scales.subarray(first, end),
    bytes,
  };
  return { element, run, runs: part };
}

/**
 * Codes with scales as bf16 codes, rounded to nearest-even: for a fast comparison with a bf16 conversion. The
 * number of a code under a given scale is looked up.
 */
export class ScaledAsBf16 {
  readonly #comparer: Comparer;
  readonly #tables: Uint8Array<ArrayBuffer>;
  readonly #tables4: Uint8Array<ArrayBuffer>;
  readonly #runScales: Uint8Array<ArrayBuffer>;
  /** Scales as they are stored. */
  #stored = new Uint8Array(0);
  readonly #left: Uint32Array<ArrayBuffer>;
  /** The other properties for which the tables are valid. */
  #of = "";
  /** The table of each scale, and the scale of each table. */
  readonly #slots = new Map<number, number>();
  readonly #scales = new Float32Array(mostTables);
  /** The last result of {@link #slotsOf}. */
  #last: { readonly range: ScaledRange; readonly span: Span; readonly slots: Uint8Array | null } | null =
    null;
  /** Numbers to round to bf16: those of a table or of a run. */
  readonly #numbers = new Float32Array(blockLength);
  readonly #words = new Uint32Array(this.#numbers.buffer);
  /** What a table is made of, and the part of its codes that a vector has. */
  readonly #codes8 = new Uint16Array(129);
  readonly #low8 = this.#codes8.subarray(0, 33);
  readonly #codes4 = new Uint16Array(16);
  readonly #code = new Uint16Array(1);

  constructor(comparer: Comparer) {
    this.#comparer = comparer;
    this.#tables = comparer.allocate(mostTables * tableBytes[8]);
    this.#tables4 = this.#tables.subarray(0, mostTables * tableBytes[4]);
    this.#runScales = comparer.allocate(mostElements / shortestRun);
    const left = comparer.allocate(4 * (mostElements / shortestRun + 2));
    this.#left = new Uint32Array(left.buffer, left.byteOffset, left.length / 4);
  }

  /**
   * Elements of a range from an index on, with the tables of their scales, valid until the next call; null for a layout
   * without tables. The index of the first one in its tensor is a multiple of blockLength.
   *
   * @param codes the bytes of the codes.
   */
  tabled(
    files: FileReader,
    range: ScaledRange,
    from: number,
    count: number,
    codes: Uint8Array<ArrayBuffer>,
  ): TabledCodes | null {
    const { layout } = range;
    const start = range.start + from;
    const run = commonRun(layout);
    const bytes = (run * layout.bits) / 8;
    const isWhole = bytes % (layout.bits === 8 ? 16 : 8) === 0 && start % run === 0;
    if (run < shortestRun || !isWhole || count % run !== 0) return null;
    const tensor = this.#tensorScale(files, range, from, count);
    if (tensor === null) return null;
    const span = scaleSpan(layout, layout.scales[0], start, count);
    const slots = this.#slotsOf(files, range, span, tensor);
    if (slots === null) return null;
    const scales = this.#runScales.subarray(0, count / run);
    fillRuns(layout, start, run, { first: span.first, slots }, scales);
    return { element: layout.element, run, runs: { codes, bits: layout.bits, scales, bytes } };
  }

  /** Decodes such elements. */
  decode({ element, run, runs }: TabledCodes, into: Uint16Array<ArrayBuffer>): void {
    this.#comparer.lookUp(runs, this.#tablesOf(runs), into, this.#left);
    for (let i = 1; i <= this.#left[0]; i++) this.#decodeRun(element, this.#left[i], run, runs, into);
  }

  /**
   * The blocks of blockLength elements that have nonfinite numbers or differ from the bf16 codes, in ascending order.
   * Faster than decoding and comparing.
   */
  differing({ run, runs }: TabledCodes, numbers: Uint16Array): Uint32Array {
    this.#comparer.findOther(runs, this.#tablesOf(runs), numbers, blockLength / run, this.#left);
    if (this.#left[0] === 0) return none;
    return this.#left.slice(1, this.#left[0] + 1);
  }

  #tablesOf({ bits }: CodeRuns): Uint8Array {
    return bits === 8 ? this.#tables : this.#tables4;
  }

  /** The tensor scale of all these elements, 1 without any; null if they have several. */
  #tensorScale(files: FileReader, range: ScaledRange, from: number, count: number): number | null {
    const { layout, start } = range;
    const tensor = layout.scales[1];
    if (tensor === undefined) return 1;
    if (scaleSpan(layout, tensor, start + from, count).count > 1) return null;
    return readScales(
      files,
      { ...range, layout: { ...layout, scales: [tensor] }, scales: [range.scales[1]] },
      from,
      1,
    )[0].numbers[0];
  }

  /** The tables of scales; null if there are too many. Pieces within a row of blocks need the same ones. */
  #slotsOf(files: FileReader, range: ScaledRange, span: Span, tensor: number): Uint8Array | null {
    const last = this.#last;
    if (last?.range === range && last.span.first === span.first && last.span.count === span.count)
      return last.slots;
    const slots = this.#tablesFor(files, range, span, tensor);
    this.#last = { range, span, slots };
    return slots;
  }

  #tablesFor(
    files: FileReader,
    { layout, scales: [file] }: ScaledRange,
    { first, count }: Span,
    tensor: number,
  ): Uint8Array | null {
    const [blocks, ofTensor] = layout.scales;
    const width = scaleBytes(blocks);
    if (this.#stored.length < count * width) this.#stored = new Uint8Array(count * width);
    const stored = this.#stored.subarray(0, count * width);
    files.read(file, blocks.begin + first * width, stored);
    const isByte = width === 1;
    const key = `${layout.element} ${isByte ? blocks.format : "any"} ${tensor} ${ofTensor?.divides}`;
    const combined = (scale: number) =>
      ofTensor ? Math.fround(ofTensor.divides ? scale / tensor : scale * tensor) : scale;
    const isKnown = this.#of === key;
    this.#of = key;
    if (!isByte) {
      if (!isKnown) this.#slots.clear();
      const scales = decodeScales(blocks, stored).map(combined);
      const known = this.#slots.size;
      const slots = this.#chooseTables(layout, scales);
      if (slots !== null || known === 0) return slots;
      // Drop the tables of earlier pieces, which leave no room.
      this.#slots.clear();
      return this.#chooseTables(layout, scales);
    }
    // One table for each code of a scale, which is its index.
    if (!isKnown) {
      const everyCode = Uint8Array.from({ length: mostTables }, (_, code) => code);
      for (const [slot, scale] of decodeScales(blocks, everyCode).entries()) {
        this.#write(layout, slot, combined(scale));
      }
    }
    return stored;
  }

  #chooseTables(layout: ScaledCodes, scales: Float32Array): Uint8Array | null {
    const slots = new Uint8Array(scales.length);
    // Keyed by bits: in a Map, +0 and -0 are the same key.
    const bits = new Uint32Array(scales.buffer, scales.byteOffset, scales.length);
    for (let i = 0; i < scales.length; i++) {
      let slot = this.#slots.get(bits[i]);
      if (slot === undefined) {
        slot = this.#slots.size;
        if (slot >= mostTables) return null;
        this.#slots.set(bits[i], slot);
        this.#write(layout, slot, scales[i]);
      }
      slots[i] = slot;
    }
    return slots;
  }

  #write({ element, bits }: ScaledCodes, slot: number, scale: number): void {
    this.#scales[slot] = scale;
    const elements = tableOf(format(element));
    const table = this.#tables.subarray(slot * tableBytes[bits], (slot + 1) * tableBytes[bits]);
    const codes = bits === 8 ? this.#low8 : this.#codes4;
    // Not map(), whose calls and garbage cost more than the look-ups.
    for (let code = 0; code < codes.length; code++) this.#numbers[code] = product(elements[code], scale);
    narrowToBf16(this.#words, codes);
    if (bits === 4) {
      writeTable4(codes, table);
      return;
    }
    const narrow = (code: number) => {
      this.#numbers[0] = product(elements[code], scale);
      narrowToBf16(this.#words, this.#code);
      this.#codes8[code] = this.#code[0];
    };
    narrow(128);
    // A third of the codes is what a table is made of; to compute them all took 7 % of the whole (measured).
    for (let code = 127; code > 32; code--) {
      narrow(code);
      if (isFinite16(this.#codes8[code])) break;
    }
    writeTable8(this.#codes8, table);
  }

  /** Decodes a run of 8-bit codes, at least one of which is not in its table. */
  #decodeRun(
    element: string,
    index: number,
    run: number,
    { codes, scales }: CodeRuns,
    into: Uint16Array<ArrayBuffer>,
  ): void {
    const elements = tableOf(format(element));
    const scale = this.#scales[scales[index]];
    const numbers = this.#numbers;
    const first = index * run;
    for (let i = 0; i < run; i++) numbers[i] = product(elements[codes[first + i]], scale);
    narrowToBf16(this.#words, into.subarray(first, first + run));
  }
}

function isFinite16(code: number): boolean {
  return (code & 0x7f80) !== 0x7f80;
}

/** The length of runs with one scale, wherever a piece starts. */
function commonRun({ width, scales: [{ columns }] }: ScaledCodes): number {
  return divisor(divisor(columns, width), blockLength);
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

/** Fills in the table of each run, row by row. */
function fillRuns(
  { width, height, scales: [{ rows, columns, across, perMatrix }] }: ScaledCodes,
  start: number,
  run: number,
  { first, slots }: { first: number; slots: Uint8Array },
  into: Uint8Array,
): void {
  const end = start + into.length * run;
  const isScaleARun = rows === 1 && run === columns && across * columns === width;
  if (isScaleARun && perMatrix === height * across) {
    into.set(slots.subarray(start / run - first, end / run - first));
    return;
  }
  for (let at = start; at < end; ) {
    const begin = at;
    const row = Math.floor(at / width);
    const matrix = Math.floor(row / height);
    const rowOfMatrix = row - matrix * height;
    const ofRow = matrix * perMatrix + Math.floor(rowOfMatrix / rows) * across - first;
    const rowEnd = Math.min(end, (row + 1) * width);
    let column = at - row * width;
    const isFromItsStart = column === 0;
    if (run === columns) {
      const block = ofRow + column / columns;
      into.set(slots.subarray(block, block + (rowEnd - at) / run), (at - start) / run);
      at = rowEnd;
    }
    while (at < rowEnd) {
      const block = Math.floor(column / columns);
      const next = Math.min(rowEnd - at, (block + 1) * columns - column);
      into.fill(slots[ofRow + block], (at - start) / run, (at + next - start) / run);
      at += next;
      column += next;
    }
    if (!isFromItsStart) continue;
    // The rows below it that have the same scales.
    const below = Math.min(rows - 1 - (rowOfMatrix % rows), height - 1 - rowOfMatrix);
    const same = Math.min(below, Math.floor((end - at) / width));
    if (same <= 0) continue;
    repeat(into, (begin - start) / run, width / run, same);
    at += same * width;
  }
}

/** Repeats a part of an array after itself. */
function repeat(into: Uint8Array, start: number, length: number, times: number): void {
  for (let [done, left] = [length, length * times]; left > 0; ) {
    const next = Math.min(done, left);
    into.copyWithin(start + done, start, start + next);
    done += next;
    left -= next;
  }
}
