import { format } from "../../format/registry.js";
import { round } from "../../format/round.js";
import { codesChanged, deltaStreams, numbersChanged, storedBytes } from "../../lens/difference/delta.js";
import { codesOf, isComparable } from "../../lens/difference/difference-codes.js";
import type { SampledBytes } from "../../lens/difference/difference-result.js";
import { narrowToBf16, widenBf16 } from "../../lens/narrow.js";
import type { ComparedFormat } from "../../lens/ulp-distance.js";
import type { FileReader } from "../file-reader.js";
import type { Dtype } from "../safetensors/dtype.js";
import { type Compressed, compressed } from "./compress.js";
import { comparedFormat, decoded, dtypeOf, type RangePair, type StoredRange } from "./range.js";
import { areAlike, decodeRange, readCodes } from "./scaled-range.js";

const bf16 = format("bf16");

/** The size of a delta of some elements, uncompressed and compressed. */
export interface SampledChunk extends SampledBytes {
  readonly gzip: Compressed;
  readonly zstd: Compressed | null;
}

/**
 * The size of a delta of a range. Valid for ranges of one chunk of the sample.
 *
 * @throws InputError if the files cannot be read or have changed.
 */
export function sampleRange(files: FileReader, range: RangePair): SampledChunk {
  const compared = comparedFormat(range.compared);
  if (areAlike(range.before.scaled?.layout, range.after.scaled?.layout)) return sampleCodes(files, range);
  const [before, after] = [range.before, range.after].map((side) => read(files, side, range.elements));
  const [from, to] = [dtypeOf(range.before), dtypeOf(range.after)];
  const areCodes = from.format === compared && to.format === compared;
  if (areCodes && compared !== "fp64" && isComparable(compared)) {
    const [a, b] = [before, after].map((bytes) => codesOf(bytes, compared.bits));
    return sampledChunk(range.elements, codesChanged(a, b), after);
  }
  const [a, b] = [numbersOf(before, from, compared), numbersOf(after, to, compared)];
  const stored = to.format === compared && to.bits >= 8 ? after : storedBytes(b, compared);
  return sampledChunk(range.elements, numbersChanged(a, b), stored);
}

/** For codes with scales, works on bytes: two 4-bit codes are sent together. */
function sampleCodes(files: FileReader, { before, after, elements }: RangePair): SampledChunk {
  const [a, b] = [before, after].map(({ scaled }) =>
    readCodes(files, scaled!, 0, elements, (bytes) => new Uint8Array(bytes)),
  );
  return { ...sampledChunk(a.length, codesChanged(a, b), b), elements };
}

/** The size of a delta of numbers that are not stored in the compared format. */
export function sampleNumbers(
  before: Float64Array,
  after: Float64Array,
  compared: ComparedFormat,
): SampledChunk {
  const [a, b] = [rounded(before, compared), rounded(after, compared)];
  return sampledChunk(a.length, numbersChanged(a, b), storedBytes(b, compared));
}

/** The size of a delta of a chunk; `bytes` store its elements after. */
function sampledChunk(elements: number, changed: Uint32Array, bytes: Uint8Array): SampledChunk {
  const streams = deltaStreams(elements, changed, bytes);
  const { full, gapValue, maskValue } = streams;
  const plain = { full: full.length, gapValue: gapValue.length, maskValue: maskValue.length };
  return { chunks: 1, elements, changed: changed.length, plain, ...compressed(streams) };
}

function read(files: FileReader, range: StoredRange, elements: number): Uint8Array {
  if (range.scaled) {
    const codes = readCodes(files, range.scaled, 0, elements, (count) => new Uint8Array(count));
    const numbers = new Float32Array(elements);
    decodeRange(files, range.scaled, 0, codes, numbers);
    return new Uint8Array(numbers.buffer);
  }
  const bytes = new Uint8Array((elements * dtypeOf(range).bits) / 8);
  files.read(range.file, range.position, bytes);
  return bytes;
}

function numbersOf(bytes: Uint8Array, dtype: Dtype, compared: ComparedFormat): Float64Array {
  if ((dtype.name === "F32" || dtype.name === "BF16") && compared === bf16) {
    // A tenth of a second less for each chunk than one number after the other, or a table of all codes.
    const codes = dtype.name === "BF16" ? uint16(bytes) : narrowed(bytes);
    const wide = new Uint32Array(codes.length);
    widenBf16(codes, wide);
    return new Float64Array(new Float32Array(wide.buffer));
  }
  const numbers = decoded(bytes, dtype);
  return dtype.format === compared ? numbers : rounded(numbers, compared);
}

function uint16({ buffer, byteOffset, length }: Uint8Array): Uint16Array {
  return new Uint16Array(buffer, byteOffset, length / 2);
}

function narrowed({ buffer, byteOffset, length }: Uint8Array): Uint16Array {
  const codes = new Uint16Array(length / 4);
  narrowToBf16(new Uint32Array(buffer, byteOffset, codes.length), codes);
  return codes;
}

function rounded(numbers: Float64Array, compared: ComparedFormat): Float64Array {
  return compared === "fp64" ? numbers : numbers.map((x) => round(x, compared));
}
