import { format } from "../../format/registry.js";
import type { DifferenceTally } from "../../lens/difference/difference.js";
import type { Comparer } from "../../lens/difference/difference-codes.js";
import { narrowToBf16 } from "../../lens/narrow.js";
import { blockLength } from "../../lens/sum.js";
import type { FileIdentity, FileReader } from "../file-reader.js";
import { mostElements, partOf, ScaledAsBf16, type TabledCodes } from "./scaled-as-bf16.js";
import { decodeRange, readCodes, type ScaledRange } from "./scaled-range.js";

const bf16 = format("bf16");

/** Elements per piece: their bf16 codes stay in the cache between reading and comparing. */
const pieceLength = 2 ** 17;

/** After a piece in which most blocks differ, this many pieces are decoded before trying to find equal blocks again. */
const decodedPieces = 15;

/** bf16 codes in a file. */
interface Bf16Range {
  readonly file: FileIdentity;
  readonly position: number;
}

type Buffers = (name: string, bytes: number) => Uint8Array<ArrayBuffer>;

/**
 * Compares codes with scales, rounded to bf16, with bf16 codes. A checkpoint dequantized from the codes is equal almost
 * everywhere. Therefore equal blocks are found without storing decoded codes, and only the others are decoded and
 * compared.
 */
export class ScaledWithBf16 {
  readonly #files: FileReader;
  readonly #comparer: Comparer;
  readonly #buffer: Buffers;
  readonly #asBf16: ScaledAsBf16;

  /** @param buffers memory by name, with room for the bf16 codes of a piece, and the codes of {@link mostElements}. */
  constructor(files: FileReader, comparer: Comparer, buffers: Buffers) {
    this.#files = files;
    this.#comparer = comparer;
    this.#buffer = buffers;
    this.#asBf16 = new ScaledAsBf16(comparer);
  }

  /** @param order which of the two is before. */
  compare(
    coded: ScaledRange,
    stored: Bf16Range,
    elements: number,
    order: "coded first" | "bf16 first",
    tally: DifferenceTally,
  ): void {
    const { bits } = coded.layout;
    const comparison = this.#comparer.comparison(bf16);
    const compare = (decoded: Uint8Array, numbers: Uint8Array) =>
      order === "coded first"
        ? comparison.compare(decoded, numbers, tally)
        : comparison.compare(numbers, decoded, tally);
    let toDecode = 0;
    let same = 0;
    try {
      // Codes and scales of several pieces at once: what is done for a piece is mostly JavaScript, which is compiled while it runs.
      for (let start = 0; start < elements; start += mostElements) {
        const count = Math.min(mostElements, elements - start);
        const codes = readCodes(this.#files, coded, start, count, (n) => this.#buffer("codes", n));
        const section = this.#asBf16.tabled(this.#files, coded, start, count, codes);
        for (let from = 0; from < count; from += pieceLength) {
          const to = Math.min(from + pieceLength, count);
          const numbers = this.#buffer("bf16", 2 * (to - from));
          this.#files.read(stored.file, stored.position + 2 * (start + from), numbers);
          const piece = codes.subarray((from * bits) / 8, (to * bits) / 8);
          const tabled = section
            ? partOf(section, from, to)
            : this.#asBf16.tabled(this.#files, coded, start + from, to - from, piece);
          if (tabled !== null && toDecode === 0) {
            const equal = this.#compareTabled(tabled, numbers, compare);
            same += equal;
            if (2 * equal < to - from) toDecode = decodedPieces;
            continue;
          }
          toDecode = Math.max(0, toDecode - 1);
          const decoded = this.#buffer("as bf16", 2 * (to - from));
          if (tabled !== null) this.#asBf16.decode(tabled, uint16(decoded));
          else {
            const wide = new Float32Array(to - from);
            decodeRange(this.#files, coded, start + from, piece, wide);
            narrowToBf16(new Uint32Array(wide.buffer), uint16(decoded));
          }
          compare(decoded, numbers);
        }
      }
      tally.addSame(same);
    } finally {
      // Resets the state for the next range, also after an error.
      comparison.end(tally);
    }
  }

  /** Compares the blocks that are not the same throughout; gives how many elements the others have. */
  #compareTabled(
    tabled: TabledCodes,
    numbers: Uint8Array<ArrayBuffer>,
    compare: (decoded: Uint8Array, numbers: Uint8Array) => void,
  ): number {
    const count = numbers.length / 2;
    let same = count;
    for (const block of this.#asBf16.differing(tabled, uint16(numbers))) {
      const [from, to] = [block * blockLength, Math.min((block + 1) * blockLength, count)];
      const decoded = this.#buffer("as bf16", 2 * (to - from));
      this.#asBf16.decode(partOf(tabled, from, to), uint16(decoded));
      compare(decoded, numbers.subarray(2 * from, 2 * to));
      same -= to - from;
    }
    return same;
  }
}

function uint16({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  return new Uint16Array(buffer, byteOffset, length / 2);
}
