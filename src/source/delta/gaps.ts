import type { InputError } from "../input-error.js";

/**
 * Encodes ascending indices as gaps: index - previous - 1 each, with -1 as the previous of the first, in LEB128 (base
 * 128, the lowest digit first, with bit 128 set on all digits but the last).
 */
export class GapEncoder {
  #last = -1;
  readonly #bytes: number[] = [];

  /** @param index larger than all before. */
  add(index: number): void {
    let gap = index - this.#last - 1;
    for (; gap >= 128; gap = Math.floor(gap / 128)) this.#bytes.push((gap % 128) | 128);
    this.#bytes.push(gap);
    this.#last = index;
  }

  /** The bytes encoded since the last call. */
  take(): Uint8Array {
    const bytes = Uint8Array.from(this.#bytes);
    this.#bytes.length = 0;
    return bytes;
  }
}

/** Reads bytes sequentially. */
export interface ByteReader {
  /** The next `count` bytes. @throws InputError if there are fewer. */
  take(count: number): Promise<Uint8Array>;
  readonly left: number;
}

/** Decodes the indices. */
export class GapDecoder {
  #last = -1;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  readonly #reader: ByteReader;
  readonly #damaged: (found: string) => InputError;

  constructor(reader: ByteReader, damaged: (found: string) => InputError) {
    this.#reader = reader;
    this.#damaged = damaged;
  }

  /** The next index; null at the end. @throws InputError for an index of 2^53 or more, or a truncated gap. */
  async next(): Promise<number | null> {
    let [gap, digit] = [0, 1];
    for (;;) {
      if (this.#at === this.#bytes.length) {
        if (this.#reader.left === 0) {
          if (digit === 1) return null;
          throw this.#damaged("a truncated gap");
        }
        this.#bytes = await this.#reader.take(Math.min(this.#reader.left, 2 ** 16));
        this.#at = 0;
      }
      const byte = this.#bytes[this.#at++];
      gap += (byte & 127) * digit;
      if (byte < 128) break;
      digit *= 128;
      if (digit > 2 ** 49) throw this.#damaged("a gap of more than 2^53");
    }
    this.#last += gap + 1;
    return this.#last;
  }
}
