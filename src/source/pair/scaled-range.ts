import type { FileIdentity, FileReader } from "../file-reader.js";
import { decodeScaled, decodeScales, scaleBytes } from "../scaled/decode.js";
import { codeSpan, type ReadScales, type ScaledCodes, scaleSpan } from "../scaled/scaled-codes.js";

/** Elements stored as codes and scales. Can be cloned. */
export interface ScaledRange {
  readonly layout: ScaledCodes;
  /** Index of the first element in its tensor. */
  readonly start: number;
  /** The files of the codes and of each kind of scales. */
  readonly codes: FileIdentity;
  readonly scales: readonly FileIdentity[];
}

/** Whether the codes of two tensors have the same meaning and layout, so that they can be compared. */
export function areAlike(a: ScaledCodes | undefined, b: ScaledCodes | undefined): boolean {
  return a !== undefined && b !== undefined && a.element === b.element && a.bits === b.bits;
}

/** Bytes of the codes of some elements. Valid for a start that begins a byte. */
export function readCodes(
  files: FileReader,
  { layout, start, codes }: ScaledRange,
  from: number,
  count: number,
  into: (bytes: number) => Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const span = codeSpan(layout, start + from, count);
  const bytes = into(span.count);
  files.read(codes, layout.codes.begin + span.first, bytes);
  return bytes;
}

/** The scales of some elements. */
export function readScales(
  files: FileReader,
  { layout, start, scales }: ScaledRange,
  from: number,
  count: number,
): ReadScales[] {
  return layout.scales.map((each, i) => {
    const span = scaleSpan(layout, each, start + from, count);
    const width = scaleBytes(each);
    const bytes = new Uint8Array(span.count * width);
    files.read(scales[i], each.begin + span.first * width, bytes);
    return { first: span.first, numbers: decodeScales(each, bytes) };
  });
}

/** The numbers of some elements. */
export function decodeRange(
  files: FileReader,
  range: ScaledRange,
  from: number,
  codes: Uint8Array,
  into: Float32Array,
): void {
  decodeScaled(range.layout, range.start + from, codes, readScales(files, range, from, into.length), into);
}

/** The number of codes that differ, and of equal codes whose numbers differ. */
export interface CodesCompared {
  readonly changed: number;
  readonly changedByScale: number;
}

/** Valid for as many codes as numbers, if the first code starts a byte. */
export function compareCodes(
  before: Uint8Array,
  after: Uint8Array,
  bits: number,
  numbersBefore: Float32Array,
  numbersAfter: Float32Array,
): CodesCompared {
  let changed = 0;
  let changedByScale = 0;
  for (let i = 0; i < numbersBefore.length; i++) {
    const same =
      bits === 8 ? before[i] === after[i] : (((before[i >> 1] ^ after[i >> 1]) >> (4 * (i & 1))) & 15) === 0;
    if (!same) changed += 1;
    else {
      const [a, b] = [numbersBefore[i], numbersAfter[i]];
      // Nonfinite numbers are not counted here; NaN equals NaN.
      if (a !== b && a - a === 0 && b - b === 0) changedByScale += 1;
    }
  }
  return { changed, changedByScale };
}
