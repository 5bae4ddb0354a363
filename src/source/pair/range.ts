import { format } from "../../format/registry.js";
import { compareNumbers, DifferenceTally } from "../../lens/difference/difference.js";
import { type Comparer, isComparable } from "../../lens/difference/difference-codes.js";
import { countEqual, narrowToBf16, widenBf16 } from "../../lens/narrow.js";
import type { ComparedFormat } from "../../lens/ulp-distance.js";
import type { FileIdentity, FileReader } from "../file-reader.js";
import { codesOf, decodeInto } from "../safetensors/decode.js";
import { type Dtype, dtypes } from "../safetensors/dtype.js";
import type { ScaledCodes } from "../scaled/scaled-codes.js";
import { ScaledPairComparison } from "./scaled-pair.js";
import {
  areAlike,
  compareCodes,
  decodeRange,
  readCodes,
  readScales,
  type ScaledRange,
} from "./scaled-range.js";
import { ScaledWithBf16 } from "./scaled-with-bf16.js";

/** Elements of a tensor in a file. */
export interface StoredRange {
  readonly file: FileIdentity;
  readonly position: number;
  /** For codes with scales, that of their numbers: F32. */
  readonly dtype: string;
  readonly scaled?: ScaledRange;
}

/** The same elements of a tensor in two files; the first index is a multiple of `blockLength`. Can be cloned. */
export interface RangePair {
  readonly before: StoredRange;
  readonly after: StoredRange;
  readonly elements: number;
  /** The name of the format to compare in. */
  readonly compared: string;
  /** False if it does not matter whether equal numbers in that format differ in the files. */
  readonly hidden?: boolean;
}

/** Elements per piece: 256 KiB of bf16 per side stay in the cache between reading and comparing (measured). */
const pieceLength = 2 ** 17;

const bf16 = format("bf16");

interface Way {
  readonly comparePiece: (before: Uint8Array, after: Uint8Array) => void;
  /** Called after the last piece. */
  readonly end?: () => void;
}

/** Compares ranges piece by piece, in reused memory. */
export class RangeComparison {
  readonly #files: FileReader;
  readonly #comparer: Comparer;
  #withBf16: ScaledWithBf16 | null = null;
  readonly #buffers = new Map<string, Uint8Array<ArrayBuffer>>();
  /** The last results of {@link #buffer} by name: most pieces have the same length. */
  readonly #given = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(files: FileReader, comparer: Comparer) {
    this.#files = files;
    this.#comparer = comparer;
  }

  /** @throws InputError if the files cannot be read or have changed. */
  compare(range: RangePair): DifferenceTally {
    const tally = new DifferenceTally();
    if (this.#comparesScaledAsBf16(range, tally) || this.#comparesScaled(range, tally)) return tally;
    const [from, to] = [dtypeOf(range.before), dtypeOf(range.after)];
    const { comparePiece, end } = this.#wayFor(from, to, comparedFormat(range.compared), tally);
    const byCode = areAlike(range.before.scaled?.layout, range.after.scaled?.layout);
    try {
      for (let start = 0; start < range.elements; start += pieceLength) {
        const count = Math.min(pieceLength, range.elements - start);
        const before = this.#read("before", range.before, from, start, count);
        const after = this.#read("after", range.after, to, start, count);
        comparePiece(before, after);
        if (byCode) this.#compareCodes(range.before.scaled!.layout, before, after, tally);
      }
    } finally {
      // Resets the state for the next range, also after an error.
      end?.();
    }
    return tally;
  }

  /** How pieces of two dtypes are compared. */
  #wayFor(from: Dtype, to: Dtype, compared: ComparedFormat, tally: DifferenceTally): Way {
    if (compared !== "fp64" && isComparable(compared)) {
      if (from.format === compared && to.format === compared) {
        const comparison = this.#comparer.comparison(compared);
        return {
          comparePiece: (before, after) => comparison.compare(before, after, tally),
          end: () => comparison.end(tally),
        };
      }
      if (compared === bf16 && [from, to].every(({ name }) => name === "F32" || name === "BF16")) {
        return { comparePiece: (before, after) => this.#compareAsBf16(before, from, after, to, tally) };
      }
    }
    const areCodes = compared !== "fp64" && from.format === compared && to.format === compared;
    return {
      comparePiece: (before, after) => {
        const numbers = { before: decoded(before, from), after: decoded(after, to) };
        const codes = areCodes && { before: codes8(before, from), after: codes8(after, to) };
        compareNumbers({ ...numbers, ...(codes && { codes }) }, compared, tally);
      },
    };
  }

  #compareAsBf16(
    before: Uint8Array,
    from: Dtype,
    after: Uint8Array,
    to: Dtype,
    tally: DifferenceTally,
  ): void {
    const count = (8 * before.length) / from.bits;
    const side = (name: string, bytes: Uint8Array, dtype: Dtype) => {
      if (dtype.name === "F32") {
        const codes = uint16(this.#buffer(`${name} as bf16`, 2 * count));
        narrowToBf16(new Uint32Array(bytes.buffer, bytes.byteOffset, count), codes);
        return { numbers: new Float32Array(bytes.buffer, bytes.byteOffset, count), codes };
      }
      const codes = new Uint16Array(bytes.buffer, bytes.byteOffset, count);
      const wide = this.#buffer(`${name} as fp32`, 4 * count);
      widenBf16(codes, new Uint32Array(wide.buffer, wide.byteOffset, count));
      return { numbers: new Float32Array(wide.buffer, wide.byteOffset, count), codes };
    };
    const [a, b] = [side("before", before, from), side("after", after, to)];
    const unchanged = tally.unchanged;
    const comparison = this.#comparer.comparison(bf16);
    comparison.compare(bytesOf(a.codes), bytesOf(b.codes), tally);
    comparison.end(tally);
    // Equal numbers in the files are equal in bf16; all others that are equal in bf16 are hidden.
    tally.hidden += tally.unchanged - unchanged - countEqual(a.numbers, b.numbers, a.codes);
  }

  /** Compares codes with scales to bf16 if no hidden counts are needed; else counts nothing and returns false. */
  #comparesScaledAsBf16(
    { before, after, elements, compared, hidden }: RangePair,
    tally: DifferenceTally,
  ): boolean {
    const sides = [before, after].map(({ scaled, dtype }) => (scaled ? "scaled" : dtype));
    if (compared !== "bf16" || hidden !== false || !sides.includes("scaled") || !sides.includes("BF16"))
      return false;
    this.#withBf16 ??= new ScaledWithBf16(this.#files, this.#comparer, (name, bytes) =>
      this.#buffer(name, bytes),
    );
    if (before.scaled) this.#withBf16.compare(before.scaled, after, elements, "coded first", tally);
    else this.#withBf16.compare(after.scaled!, before, elements, "bf16 first", tally);
    return true;
  }

  /** Compares two sides with scaled codes of the same format in fp32; else counts nothing and returns false. */
  #comparesScaled({ before, after, elements, compared }: RangePair, tally: DifferenceTally): boolean {
    const [from, to] = [before.scaled, after.scaled];
    if (!from || !to || !areAlike(from.layout, to.layout) || compared !== "fp32") return false;
    const comparison = new ScaledPairComparison(this.#comparer.comparison(format("fp32")));
    for (let start = 0; start < elements; start += pieceLength) {
      const count = Math.min(pieceLength, elements - start);
      const [a, b] = [from, to].map((range, side) => ({
        layout: range.layout,
        codes: readCodes(this.#files, range, start, count, (n) => this.#buffer(`codes ${side}`, n)),
        scales: readScales(this.#files, range, start, count),
      }));
      comparison.compare(a, b, from.start + start, count, tally);
    }
    return true;
  }

  /** Compares the last pieces read by code. */
  #compareCodes({ bits }: ScaledCodes, before: Uint8Array, after: Uint8Array, tally: DifferenceTally): void {
    const [a, b] = [float32(before), float32(after)];
    const codes = ["before", "after"].map((side) => this.#given.get(`${side} codes`)!);
    const { changed, changedByScale } = compareCodes(codes[0], codes[1], bits, a, b);
    tally.codes += a.length;
    tally.codesChanged += changed;
    tally.changedByScale += changedByScale;
  }

  #read(
    side: string,
    { file, position, scaled }: StoredRange,
    { bits }: Dtype,
    start: number,
    count: number,
  ): Uint8Array {
    if (scaled) {
      const codes = readCodes(this.#files, scaled, start, count, (n) => this.#buffer(`${side} codes`, n));
      const numbers = this.#buffer(side, 4 * count);
      decodeRange(this.#files, scaled, start, codes, float32(numbers));
      return numbers;
    }
    const bytes = this.#buffer(side, (count * bits) / 8);
    this.#files.read(file, position + (start * bits) / 8, bytes);
    return bytes;
  }

  /** The first bytes of the named buffer, which has room for a piece of any dtype. */
  #buffer(name: string, bytes: number): Uint8Array<ArrayBuffer> {
    const given = this.#given.get(name);
    if (given?.length === bytes) return given;
    const buffer = this.#buffers.get(name) ?? this.#comparer.allocate(8 * pieceLength);
    this.#buffers.set(name, buffer);
    const part = buffer.subarray(0, bytes);
    this.#given.set(name, part);
    return part;
  }
}

export function dtypeOf({ dtype }: StoredRange): Dtype {
  return dtypes.get(dtype)!;
}

export function comparedFormat(name: string): ComparedFormat {
  return name === "fp64" ? name : format(name);
}

export function decoded(bytes: Uint8Array, dtype: Dtype): Float64Array {
  const numbers = new Float64Array((8 * bytes.length) / dtype.bits);
  decodeInto(bytes, dtype, numbers);
  return numbers;
}

/** Valid for dtypes of at most 8 bits. */
function codes8(bytes: Uint8Array, { bits }: Dtype): ArrayLike<number> {
  return codesOf(bytes, bits, (8 * bytes.length) / bits);
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function float32({ buffer, byteOffset, length }: Uint8Array): Float32Array {
  return new Float32Array(buffer, byteOffset, length / 4);
}

function uint16({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  return new Uint16Array(buffer, byteOffset, length / 2);
}
