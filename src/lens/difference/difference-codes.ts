import { decode, decodeTable } from "../../format/encode.js";
import type { Format } from "../../format/format.js";
import { pathNotTakenUnchanged, smallSubnetworksUnchanged } from "../probes.js";
import { blockLength, SparseSum } from "../sum.js";
import { firstWideDistance } from "../ulp-distance.js";
import { compareNumbers, DifferenceTally } from "./difference.js";
import { type FindOther, findOtherCodes, type LookUp, lookUpCodes } from "./look-up.js";

/** Compares two tensors of one format by their codes. */
export interface Comparison {
  /**
   * Counts in the tally, or defers to {@link end}. The bytes are as stored, little-endian, of equal length,
   * at offsets divisible by 4; the index of their first element is divisible by `blockLength`.
   */
  compare(before: Uint8Array, after: Uint8Array, tally: DifferenceTally): void;
  /** Adds what was deferred since the last end, all of it for this tally. */
  end(tally: DifferenceTally): void;
}

/** An implementation of the comparison. All count the same as `compareNumbers`. */
export interface Comparer {
  /** Memory that its comparisons read without a copy, aligned to 8 bytes. */
  allocate(bytes: number): Uint8Array<ArrayBuffer>;
  /** Valid for formats that {@link isComparable} knows. */
  comparison(format: Format): Comparison;
  lookUp: LookUp;
  findOther: FindOther;
}

/** The comparer of this file. */
export function codeComparer(): Comparer {
  const comparisons = new Map<Format, Comparison>();
  return {
    allocate: (bytes) => new Uint8Array(bytes),
    comparison(format) {
      const comparison = comparisons.get(format) ?? new CodeComparison(format);
      comparisons.set(format, comparison);
      return comparison;
    },
    lookUp: lookUpCodes,
    findOther: findOtherCodes,
  };
}

/**
 * The fast twin of `compareNumbers` for two tensors of one format, on stored codes: equal 32-bit words are
 * skipped, only differences are decoded.
 */
export class CodeComparison implements Comparison {
  readonly #format: Format;
  /** Elements a word. */
  readonly #perWord: number;
  /** The sign bits of a word's elements. */
  readonly #signs: number;
  /**
   * Added to the magnitudes in a word, sets the sign bits of NaN and Inf, without carrying into neighbours.
   */
  readonly #toSign: number;
  #tables: CodeTables | null = null;
  /** Indices in a block of the words that differ. */
  readonly #differing = new Uint16Array(blockLength);
  readonly #squares = new SparseSum();
  /** Findings in one block. */
  #found = new DifferenceTally();

  /** @throws RangeError unless the format has 8, 16 or 32 bits, a sign and both zeros. */
  constructor(format: Format) {
    const { bits } = format;
    if (!isComparable(format)) throw new RangeError(`${format.name} has no comparison of codes`);
    const everyElement = bits === 32 ? 1 : 0xffffffff / (2 ** bits - 1);
    this.#format = format;
    this.#perWord = 32 / bits;
    this.#signs = (everyElement * 2 ** (bits - 1)) | 0;
    this.#toSign = (everyElement * (2 ** (bits - 1) - format.maxFiniteCode - 1)) | 0;
  }

  compare(before: Uint8Array, after: Uint8Array, tally: DifferenceTally): void {
    const { bits } = this.#format;
    const wholeWords = Math.floor(before.length / 4);
    const words = (bytes: Uint8Array) => new Int32Array(bytes.buffer, bytes.byteOffset, wholeWords);
    const [a, b] = [words(before), words(after)];
    const wordsOfBlock = blockLength / this.#perWord;
    let done = 0;
    for (; done + wordsOfBlock <= wholeWords; done += wordsOfBlock) {
      if (!this.#compareBlock(a, b, done, wordsOfBlock, tally)) {
        const [from, to] = [4 * done, 4 * (done + wordsOfBlock)];
        compareBySpecification(before.subarray(from, to), after.subarray(from, to), this.#format, tally);
      }
    }
    // A tensor's last block may end within a word.
    const rest = 4 * done;
    if (8 * (before.length - rest) < bits) return;
    if (before.length % 4 !== 0 || !this.#compareBlock(a, b, done, wholeWords - done, tally)) {
      compareBySpecification(before.subarray(rest), after.subarray(rest), this.#format, tally);
    }
  }

  /** Nothing is deferred. */
  end(): void {}

  /** False, and nothing added, if a number is not finite or its displacement is beyond fp32. */
  #compareBlock(a: Int32Array, b: Int32Array, start: number, count: number, tally: DifferenceTally): boolean {
    const differing = this.#findDifferences(a, b, start, count);
    if (differing < 0) return false;
    const elements = count * this.#perWord;
    if (differing > 0) {
      this.#found = new DifferenceTally();
      const changed =
        this.#perWord === 1
          ? this.#measureFloat32(a, b, start, differing)
          : this.#measure(a, b, start, differing);
      const sum = this.#squares.end();
      if (!Number.isFinite(sum)) return false;
      this.#found.displacementSquared.add(sum);
      // Equal elements need no look-up, and there is no NaN or Inf here.
      for (const field of ["unchanged", "pathNotTaken", "smallSubnetworks"] as const)
        this.#found[field] -= changed;
      tally.merge(this.#found);
    }
    tally.elements += elements;
    for (const field of ["unchanged", "pathNotTaken", "smallSubnetworks"] as const) tally[field] += elements;
    return true;
  }

  /** Lists the words that differ, without an unpredictable branch; -1 if a number is non-finite. */
  #findDifferences(a: Int32Array, b: Int32Array, start: number, count: number): number {
    const differing = this.#differing;
    const magnitudes = ~this.#signs;
    const toSign = this.#toSign;
    let found = 0;
    let outside = 0;
    for (let i = 0; i < count; i++) {
      const word = a[start + i];
      const difference = word ^ b[start + i];
      differing[found] = i;
      found += (difference | (0 - difference)) >>> 31;
      outside |= ((word & magnitudes) + toSign) | 0;
    }
    return (outside & this.#signs) === 0 ? found : -1;
  }

  /**
   * Measures the listed words and returns the number of changed elements. Equal elements in them add nothing.
   */
  #measure(a: Int32Array, b: Int32Array, start: number, differing: number): number {
    const { bits } = this.#format;
    const perWord = this.#perWord;
    const mask = 2 ** bits - 1;
    // Created on the first difference: it costs as much as comparing 100 MB.
    this.#tables ??= codeTables(this.#format);
    const { numbers, indices } = this.#tables;
    let changed = 0;
    for (let n = 0; n < differing; n++) {
      const word = this.#differing[n];
      const [before, after] = [a[start + word], b[start + word]];
      for (let at = 0; at < perWord; at++) {
        const [from, to] = [(before >>> (at * bits)) & mask, (after >>> (at * bits)) & mask];
        if (from === to) continue;
        this.#found.bytesChanged += 1;
        const distance = Math.abs(indices[to] - indices[from]);
        // Zeros of both signs.
        if (distance === 0) continue;
        changed += 1;
        this.#element(numbers[from], numbers[to], distance);
      }
    }
    return changed;
  }

  #measureFloat32(a: Int32Array, b: Int32Array, start: number, differing: number): number {
    const numbers = (words: Int32Array) => new Float32Array(words.buffer, words.byteOffset, words.length);
    const [before, after] = [numbers(a), numbers(b)];
    this.#found.bytesChanged += differing;
    let changed = 0;
    for (let n = 0; n < differing; n++) {
      const at = start + this.#differing[n];
      const distance = Math.abs(float32Index(b[at]) - float32Index(a[at]));
      if (distance === 0) continue;
      changed += 1;
      this.#element(before[at], after[at], distance);
    }
    return changed;
  }

  /** One element that changed, as `compareNumbers` has it; a number that is not finite makes the sum infinite. */
  #element(before: number, after: number, distance: number): void {
    const found = this.#found;
    found.distances[distance < firstWideDistance ? distance - 1 : 42 - Math.clz32(distance)] += 1;
    if (pathNotTakenUnchanged(before, after)) found.pathNotTaken += 1;
    if (smallSubnetworksUnchanged(before, after)) found.smallSubnetworks += 1;
    if (before * after < 0) found.signFlips += 1;
    const d = Math.fround(after - before);
    this.#squares.add(d * d);
  }
}

/** The numbers of all codes of a format, and how many lie between them and zero, negative below. */
interface CodeTables {
  readonly numbers: Float32Array;
  readonly indices: Int32Array;
}

function codeTables(format: Format): CodeTables {
  const numbers = decodeTable(format);
  const sign = numbers.length / 2;
  return { numbers, indices: Int32Array.from(numbers, (_, code) => (code < sign ? code : sign - code)) };
}

/** The comparison by the specification, for blocks with rare values. */
export function compareBySpecification(
  before: Uint8Array,
  after: Uint8Array,
  format: Format,
  tally: DifferenceTally,
): void {
  const [a, b] = [before, after].map((bytes) => codesOf(bytes, format.bits));
  const numbers = (codes: ArrayLike<number>) => Float64Array.from(codes, (code) => decode(code, format));
  compareNumbers({ before: numbers(a), after: numbers(b), codes: { before: a, after: b } }, format, tally);
}

/** Whether {@link CodeComparison} supports the format; otherwise `compareNumbers` is used. */
export function isComparable({ bits, signed, unsignedZero }: Format): boolean {
  return [8, 16, 32].includes(bits) && signed && !unsignedZero;
}

/** How many fp32 numbers lie between zero and that of a code, as a signed word; negative below zero. */
function float32Index(code: number): number {
  return code >= 0 ? code : -(code & 0x7fffffff);
}

/** Codes as they are stored, little-endian, in 8, 16 or 32 bits each, at an offset that their width divides. */
export function codesOf({ buffer, byteOffset, length }: Uint8Array, bits: number) {
  if (bits === 8) return new Uint8Array(buffer, byteOffset, length);
  if (bits === 16) return new Uint16Array(buffer, byteOffset, length / 2);
  return new Uint32Array(buffer, byteOffset, length / 4);
}
