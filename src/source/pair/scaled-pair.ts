import type { Format } from "../../format/format.js";
import { format } from "../../format/registry.js";
import { compareNumbers, type DifferenceTally } from "../../lens/difference/difference.js";
import type { Comparison } from "../../lens/difference/difference-codes.js";
import { blockLength } from "../../lens/sum.js";
import { tableOf } from "../safetensors/decode.js";
import { decodeScaled } from "../scaled/decode.js";
import { type ReadScales, type ScaledCodes, type Scales, scaleSpan } from "../scaled/scaled-codes.js";
import { compareCodes } from "./scaled-range.js";

const fp32 = format("fp32");

/** The codes of some elements and their scales. */
export interface ScaledPiece {
  readonly layout: ScaledCodes;
  readonly codes: Uint8Array;
  readonly scales: readonly ReadScales[];
}

/** Whether scales are shared by the same elements and applied in the same way. */
export function areAlikeScales(a: Scales | undefined, b: Scales | undefined): boolean {
  const keys = ["count", "rows", "columns", "across", "perMatrix", "divides"] as const;
  return a !== undefined && b !== undefined && keys.every((key) => a[key] === b[key]);
}

/**
 * Compares two tensors of codes of one format by number, in fp32, and by code. In blocks with equal scales,
 * equal codes are skipped and only differences are decoded.
 */
export class ScaledPairComparison {
  readonly #comparison: Comparison;
  readonly #before = new Float32Array(blockLength);
  readonly #after = new Float32Array(blockLength);
  /** Indices of elements that differ in a block. */
  readonly #differing = new Uint16Array(blockLength);

  /** @param comparison compares fp32 numbers. */
  constructor(comparison: Comparison) {
    this.#comparison = comparison;
  }

  /** Adds `count` elements from `start` on, a multiple of blockLength, to the tally. Valid for codes that are alike. */
  compare(
    before: ScaledPiece,
    after: ScaledPiece,
    start: number,
    count: number,
    tally: DifferenceTally,
  ): void {
    const share = before.layout.width === after.layout.width && before.layout.height === after.layout.height;
    const alike =
      share && before.layout.scales.every((scales, i) => areAlikeScales(scales, after.layout.scales[i]));
    for (let at = 0; at < count; at += blockLength) {
      const length = Math.min(blockLength, count - at);
      const [a, b] = [block(before, at, length), block(after, at, length)];
      const quick =
        alike &&
        sameScales(before, after, start + at, length) &&
        this.#byCodes(a, b, start + at, length, tally);
      if (!quick) this.#byNumbers(a, b, start + at, length, tally);
    }
  }

  /** Counts nothing and returns false if a number may not be finite. Valid for blocks with equal scales. */
  #byCodes(
    before: ScaledPiece,
    after: ScaledPiece,
    start: number,
    length: number,
    tally: DifferenceTally,
  ): boolean {
    const element = format(before.layout.element);
    if (!areFinite(before.codes, element) || !areFinite(after.codes, element)) return false;
    const found = this.#find(before.codes, after.codes, before.layout.bits);
    if (found > 0) {
      const differing = this.#differing.subarray(0, found);
      const numbers = [before, after].map((piece) => numbersAt(piece, start, differing));
      compareNumbers({ before: numbers[0], after: numbers[1] }, fp32, tally);
    }
    const equal = length - found;
    tally.elements += equal;
    for (const field of ["unchanged", "pathNotTaken", "smallSubnetworks"] as const) tally[field] += equal;
    tally.codes += length;
    tally.codesChanged += found;
    return true;
  }

  /** Lists the codes that differ and returns their number. */
  #find(before: Uint8Array, after: Uint8Array, bits: 4 | 8): number {
    const differing = this.#differing;
    const [a, b] = [wordsOf(before), wordsOf(after)];
    let found = 0;
    const inByte = (byte: number) => {
      const difference = before[byte] ^ after[byte];
      if (difference === 0) return;
      if (bits === 8) differing[found++] = byte;
      else {
        if ((difference & 15) !== 0) differing[found++] = 2 * byte;
        if (difference >> 4 !== 0) differing[found++] = 2 * byte + 1;
      }
    };
    for (let word = 0; word < a.length; word++) {
      if (a[word] === b[word]) continue;
      for (let byte = 4 * word; byte < 4 * word + 4; byte++) inByte(byte);
    }
    for (let byte = 4 * a.length; byte < before.length; byte++) inByte(byte);
    return found;
  }

  #byNumbers(
    before: ScaledPiece,
    after: ScaledPiece,
    start: number,
    length: number,
    tally: DifferenceTally,
  ): void {
    const [a, b] = [this.#before.subarray(0, length), this.#after.subarray(0, length)];
    decodeScaled(before.layout, start, before.codes, before.scales, a);
    decodeScaled(after.layout, start, after.codes, after.scales, b);
    this.#comparison.compare(bytesOf(a), bytesOf(b), tally);
    const { changed, changedByScale } = compareCodes(before.codes, after.codes, before.layout.bits, a, b);
    tally.codes += length;
    tally.codesChanged += changed;
    tally.changedByScale += changedByScale;
  }
}

function block({ layout, codes, scales }: ScaledPiece, at: number, length: number): ScaledPiece {
  const bytes = (elements: number) => Math.ceil((elements * layout.bits) / 8);
  return { layout, scales, codes: codes.subarray(bytes(at), bytes(at + length)) };
}

/** Products of scales up to this with codes of at most 57344 are finite. */
const largestScale = 2 ** 111;

function sameScales(before: ScaledPiece, after: ScaledPiece, start: number, length: number): boolean {
  return (
    before.layout.scales.every((scales, i) => {
      const { first, count } = scaleSpan(before.layout, scales, start, length);
      const [a, b] = [before.scales[i], after.scales[i]];
      for (let j = first; j < first + count; j++) {
        const scale = a.numbers[j - a.first];
        if (scale !== b.numbers[j - b.first] || !(Math.abs(scale) < largestScale)) return false;
      }
      return true;
    }) &&
    (before.layout.scales.length < 2 || areModest(before, start, length))
  );
}

/** With a tensor scale the product of both scales counts, which may exceed the range of either. */
function areModest({ layout, scales }: ScaledPiece, start: number, length: number): boolean {
  return layout.scales.every((layer, i) => {
    const { first, count } = scaleSpan(layout, layer, start, length);
    const { numbers, first: from } = scales[i];
    for (let j = first - from; j < first - from + count; j++) {
      const magnitude = Math.abs(numbers[j]);
      if (!(magnitude === 0 || (magnitude > 2 ** -50 && magnitude < 2 ** 50))) return false;
    }
    return true;
  });
}

/** Whether all codes represent finite numbers. */
function areFinite(
  codes: Uint8Array,
  { bits, signed, unsignedZero, hasNaN, maxFiniteCode }: Format,
): boolean {
  if (!hasNaN) return true;
  if (bits !== 8 || !signed || unsignedZero) return false;
  const toSign = 127 - maxFiniteCode;
  const words = wordsOf(codes);
  let outside = 0;
  // Adding this to magnitudes sets the sign bit of NaN and Inf, and never carries into the next code.
  const toSigns = toSign * 0x01010101;
  for (let i = 0; i < words.length; i++) outside |= (words[i] & 0x7f7f7f7f) + toSigns;
  for (let i = 4 * words.length; i < codes.length; i++) outside |= (codes[i] & 127) + toSign;
  return (outside & 0x80808080) === 0;
}

/** Whole words. Valid for bytes at an offset that 4 divides. */
function wordsOf({ buffer, byteOffset, length }: Uint8Array): Int32Array {
  return new Int32Array(buffer, byteOffset, Math.floor(length / 4));
}

function numbersAt(
  { layout, codes, scales }: ScaledPiece,
  start: number,
  indices: Uint16Array,
): Float64Array<ArrayBuffer> {
  const numbers = new Float64Array(indices.length);
  const one = new Float32Array(1);
  const table = tableOf(format(layout.element));
  const [blocks, tensor] = layout.scales;
  for (let n = 0; n < indices.length; n++) {
    const i = indices[n];
    const code = layout.bits === 8 ? codes[i] : (codes[i >> 1] >> (4 * (i & 1))) & 15;
    const scale = (group: Scales, read: ReadScales) =>
      read.numbers[scaleSpan(layout, group, start + i, 1).first - read.first];
    const ofBlock = scale(blocks, scales[0]);
    let factor = ofBlock;
    if (tensor) {
      const other = scale(tensor, scales[1]);
      factor = Math.fround(tensor.divides ? ofBlock / other : ofBlock * other);
    }
    one[0] = table[code] * factor;
    numbers[n] = one[0];
  }
  return numbers;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
