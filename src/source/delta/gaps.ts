import type { InputError } from "../input-error.js";

/**
 * Indices of what changed, as the gaps between them: index - last - 1 each, the last before the first being -1, in base 128
 * with the lowest digit first and a bit of 128 on all digits but the last (LEB128).
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

  /** What was encoded since the last time. */
  take(): Uint8Array {
    const bytes = Uint8Array.from(this.#bytes);
    this.#bytes.length = 0;
    return bytes;
  }
}

/** Reads bytes that lie one after the other, at most so many at a time. */
export interface ByteReader {
  /** The next `count` bytes. @throws InputError if there are not so many. */
  take(count: number): Promise<Uint8Array>;
  readonly left: number;
}

/** The indices again. */
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

  /** The next index; null at the end. @throws InputError for a gap that is no number below 2^53, or one that is cut off. */
  async next(): Promise<number | null> {
    let [gap, digit] = [0, 1];
    for (;;) {
      if (this.#at === this.#bytes.length) {
        if (this.#reader.left === 0) {
          if (digit === 1) return null;
          throw this.#damaged("a gap that is cut off");
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
