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

const mostElements = 2 ** 17;

/** The maximum number of tables: one for each code of an 8-bit scale. */
const mostTables = 256;

/** Elements in runs, of which each has the table of its scale. */
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
  /** What a table is made of. */
  readonly #codes8 = new Uint16Array(129);
  readonly #codes4 = new Uint16Array(16);

  constructor(comparer: Comparer) {
    this.#comparer = comparer;
    this.#tables = comparer.allocate(mostTables * tableBytes[8]);
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
    return this.#left.slice(1, this.#left[0] + 1);
  }

  #tablesOf({ bits }: CodeRuns): Uint8Array {
    return this.#tables.subarray(0, mostTables * tableBytes[bits]);
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

  #write(layout: ScaledCodes, slot: number, scale: number): void {
    this.#scales[slot] = scale;
    const elements = tableOf(format(layout.element));
    const [numbers, codes] = [this.#numbers, layout.bits === 8 ? this.#codes8 : this.#codes4];
    // Not map(): its calls and garbage cost more than the look-ups.
    for (let code = 0; code < codes.length; code++) numbers[code] = product(elements[code], scale);
    narrowToBf16(this.#words, codes);
    const size = tableBytes[layout.bits];
    const table = this.#tables.subarray(slot * size, (slot + 1) * size);
    if (layout.bits === 8) writeTable8(codes, table);
    else writeTable4(codes, table);
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

/** Elements of which none has another scale than the first, wherever a piece starts. */
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
    const row = Math.floor(at / width);
    const matrix = Math.floor(row / height);
    const ofRow = matrix * perMatrix + Math.floor((row - matrix * height) / rows) * across - first;
    const rowEnd = Math.min(end, (row + 1) * width);
    let column = at - row * width;
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
  }
}
