import { format } from "../../format/registry.js";
import type { Comparer } from "../../lens/difference/difference-codes.js";
import { narrowToBf16 } from "../../lens/narrow.js";
import { tableOf } from "../safetensors/decode.js";
import { decodeScales } from "../scaled/decode.js";
import { eachRun, type ReadScales, type ScaledCodes, scaleSpan } from "../scaled/scaled-codes.js";
import type { FileReader } from "./file-reader.js";
import { readScales, type ScaledRange } from "./scaled-range.js";

/** The starts of pieces are multiples of it. */
const alignment = 4096;

/** Shorter runs of elements with one scale take longer to prepare than to decode. */
const shortestRun = 32;

/** Tables that are kept. */
const mostTables = 256;

/**
 * Codes with scales as bf16 codes, the numbers rounded to nearest-even: the fast way to compare them with a checkpoint
 * that was made of them. Under one scale a byte of codes has 256 meanings, which are looked up.
 */
export class ScaledAsBf16 {
  readonly #comparer: Comparer;
  readonly #bank: Uint8Array<ArrayBuffer>;
  readonly #runScales: Uint8Array<ArrayBuffer>;
  /** What the tables of the bank stand for beside a scale, and the scale of each. */
  #of = "";
  readonly #slots = new Map<number, number>();
  /** A table while it is made. */
  readonly #numbers = new Float32Array(256);
  readonly #words = new Uint32Array(this.#numbers.buffer);
  readonly #codes = new Uint16Array(256);

  constructor(comparer: Comparer) {
    this.#comparer = comparer;
    this.#bank = comparer.allocate(mostTables * 1024);
    this.#runScales = comparer.allocate(2 ** 17 / 16);
  }

  /**
   * Decodes elements of a range from an index on; false, and nothing done, for a layout that has another way.
   *
   * @param codes their bytes.
   */
  decode(
    files: FileReader,
    range: ScaledRange,
    from: number,
    codes: Uint8Array<ArrayBuffer>,
    into: Uint16Array<ArrayBuffer>,
  ): boolean {
    const { layout } = range;
    const start = range.start + from;
    const tensor = this.#tensorScale(files, range, from, into.length);
    const perScaleByte = tensor === null ? null : runOfScaleByte(layout, start, into.length);
    const run = perScaleByte ?? commonRun(layout);
    const bytes = (run * layout.bits) / 8;
    if (bytes % (layout.bits === 8 ? 16 : 8) !== 0 || start % run !== 0 || into.length % run !== 0)
      return false;
    if (perScaleByte === null && run < shortestRun) return false;
    const runScales = this.#runScales.subarray(0, into.length / run);
    if (perScaleByte !== null) this.#byScaleByte(files, range, start, runScales, tensor!);
    else if (!this.#byScale(layout, start, into.length, readScales(files, range, from, into.length), run)) {
      return false;
    }
    this.#comparer.lookUp({ codes, scales: runScales, bytes }, this.#tables(layout), into);
    return true;
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

  /** A table for each code of a scale of 8 bits: those choose it by themselves. */
  #byScaleByte(
    files: FileReader,
    { layout, scales }: ScaledRange,
    start: number,
    runScales: Uint8Array,
    tensor: number,
  ): void {
    const [blocks, ofTensor] = layout.scales;
    files.read(scales[0], blocks.begin + start / blocks.columns, runScales);
    const divides = ofTensor?.divides ?? false;
    const of = `${layout.element} ${blocks.format} ${tensor} ${divides}`;
    if (this.#of === of) return;
    this.#of = of;
    this.#slots.clear();
    const all = decodeScales(
      blocks,
      Uint8Array.from({ length: 256 }, (_, code) => code),
    );
    for (const [slot, scale] of all.entries()) {
      this.#write(layout, slot, ofTensor ? Math.fround(divides ? scale / tensor : scale * tensor) : scale);
    }
  }

  /** A table for each scale that is met; false if there are too many at once. */
  #byScale(
    layout: ScaledCodes,
    start: number,
    count: number,
    scales: readonly ReadScales[],
    run: number,
  ): boolean {
    const of = `${layout.element} each`;
    if (this.#of !== of) this.#slots.clear();
    this.#of = of;
    const known = this.#slots.size;
    if (this.#chooseTables(layout, start, count, scales, run)) return true;
    this.#slots.clear();
    // Tables of pieces before this one made no room for it.
    return known > 0 && this.#chooseTables(layout, start, count, scales, run);
  }

  #chooseTables(
    layout: ScaledCodes,
    start: number,
    count: number,
    scales: readonly ReadScales[],
    run: number,
  ): boolean {
    const slots = this.#slots;
    const runScales = this.#runScales;
    let fits = true;
    eachRun(layout, start, count, scales, (from, length, scale) => {
      let slot = slots.get(scale);
      if (slot === undefined) {
        slot = slots.size;
        if (slot >= mostTables) fits = false;
        else {
          slots.set(scale, slot);
          this.#write(layout, slot, scale);
        }
      }
      // Mostly one: to call fill() for it takes longer than to look up the codes of the run.
      if (length === run) runScales[from / run] = slot;
      else runScales.fill(slot, from / run, (from + length) / run);
    });
    return fits;
  }

  #tables({ bits }: ScaledCodes): Uint16Array | Uint32Array {
    const { buffer, byteOffset, byteLength } = this.#bank;
    return bits === 4
      ? new Uint32Array(buffer, byteOffset, byteLength / 4)
      : new Uint16Array(buffer, byteOffset, byteLength / 2);
  }

  #write(layout: ScaledCodes, slot: number, scale: number): void {
    const elements = tableOf(format(layout.element));
    const numbers = this.#numbers;
    // Not map(), whose calls and garbage take longer than to look up the codes of the table.
    for (let code = 0; code < elements.length; code++) numbers[code] = elements[code] * scale;
    const codes = this.#codes;
    narrowToBf16(this.#words, codes);
    const tables = this.#tables(layout);
    if (layout.bits === 8) tables.set(codes, 256 * slot);
    else
      for (let byte = 0; byte < 256; byte++)
        tables[256 * slot + byte] = codes[byte & 15] | (codes[byte >> 4] << 16);
  }
}

/** Elements that share a scale of 8 bits along rows that are whole in them, so that scales lie as runs do; else null. */
function runOfScaleByte(
  { width, scales: [blocks] }: ScaledCodes,
  start: number,
  count: number,
): number | null {
  const { rows, columns, format: name, across, perMatrix } = blocks;
  const isPlain = rows === 1 && format(name).bits === 8 && perMatrix > 0 && across * columns === width;
  return isPlain && start % columns === 0 && count % columns === 0 ? columns : null;
}

/** Elements of which none has another scale than the first, wherever a piece starts. */
function commonRun({ width, scales: [{ columns }] }: ScaledCodes): number {
  return divisor(divisor(columns, width), alignment);
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
