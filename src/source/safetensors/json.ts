import { InputError, quote } from "../input-error.js";

const word = /[-+.\w]*/y;
const literal = /^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/;
const whole = /^(0|[1-9]\d*)$/;

/** The maximum nesting of skipped values: bounds the stack. */
const deepest = 64;

/**
 * A streaming JSON reader: the caller reads value by value. It builds nothing else, so that a hostile text takes no
 * more memory than its length. Duplicate keys of an object are errors, while `JSON.parse` silently takes the last.
 *
 * Every method throws an InputError, which tells the position in the text, if the next value has another type.
 */
export class JsonReader {
  readonly #name: string;
  readonly #text: string;
  #at = 0;
  /** Keys and array indices that lead to the next value. */
  readonly #path: (string | number)[] = [];

  /** @throws InputError, which names the file `name`, if the bytes are not UTF-8. */
  constructor(bytes: Uint8Array, name: string) {
    this.#name = name;
    try {
      this.#text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new InputError(name, "JSON in UTF-8", "bytes that are not UTF-8");
    }
  }

  /** Reads an object: `visit` is called with each key and must read its value. */
  object(visit: (key: string) => void): void {
    this.#expect("{", "an object");
    if (this.#take("}")) return;
    const keys = new Set<string>();
    do {
      const key = this.string();
      if (keys.has(key)) throw this.#error("every key once", `${quote(key)} twice`);
      keys.add(key);
      this.#expect(":", "a colon");
      this.#path.push(key);
      visit(key);
      this.#path.pop();
    } while (this.#take(","));
    this.#expect("}", "a comma or the end of the object");
  }

  /** Reads an array: `visit` is called with each index and must read its value. */
  array(visit: (index: number) => void): void {
    this.#expect("[", "an array");
    if (this.#take("]")) return;
    let index = 0;
    do {
      this.#path.push(index);
      visit(index++);
      this.#path.pop();
    } while (this.#take(","));
    this.#expect("]", "a comma or the end of the array");
  }

  /** Reads an array of at most `most` whole numbers from 0 to 2^53 - 1. */
  sizes(most: number): number[] {
    const sizes: number[] = [];
    this.array((index) => {
      if (index === most) throw this.#error(`at most ${most} numbers`, "more");
      sizes.push(this.#size());
    });
    return sizes;
  }

  string(): string {
    if (this.#next() !== '"') throw this.#unexpected("a string");
    const text = this.#text;
    const start = this.#at;
    let escaped = false;
    for (let at = start + 1; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit === 0x22) {
        this.#at = at + 1;
        return escaped ? this.#unescape(text.slice(start, at + 1)) : text.slice(start + 1, at);
      }
      if (unit === 0x5c) {
        escaped = true;
        at++;
      } else if (unit < 0x20) {
        throw this.#error("a string without control characters", quote(text.slice(start + 1, at + 1)));
      }
    }
    throw this.#error("a string that ends", "the end of the text");
  }

  /** Skips any value. */
  skip(depth = 0): void {
    if (depth > deepest) throw this.#error(`at most ${deepest} levels of nesting`, "more");
    const next = this.#next();
    if (next === "{") this.object(() => this.skip(depth + 1));
    else if (next === "[") this.array(() => this.skip(depth + 1));
    else if (next === '"') this.string();
    else {
      const token = this.#token();
      if (!literal.test(token)) throw this.#unexpected("a value");
      this.#at += token.length;
    }
  }

  /** Checks that nothing but white space follows. */
  end(): void {
    if (this.#next() !== undefined) throw this.#unexpected("the end of the text");
  }

  #size(): number {
    this.#next();
    const token = this.#token();
    const size = whole.test(token) ? Number(token) : NaN;
    if (!Number.isSafeInteger(size)) throw this.#unexpected("a whole number from 0 to 2^53 - 1");
    this.#at += token.length;
    return size;
  }

  #unescape(literal: string): string {
    try {
      return JSON.parse(literal) as string;
    } catch {
      throw this.#error("a string with valid escapes", quote(literal.slice(1, -1)));
    }
  }

  /** The first character after white space; undefined at the end. */
  #next(): string | undefined {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#text[this.#at];
  }

  /** The number or the word that begins here; empty if none does. */
  #token(): string {
    word.lastIndex = this.#at;
    return word.exec(this.#text)![0];
  }

  #take(sign: string): boolean {
    if (this.#next() !== sign) return false;
    this.#at++;
    return true;
  }

  #expect(sign: string, expected: string): void {
    if (!this.#take(sign)) throw this.#unexpected(expected);
  }

  #unexpected(expected: string): InputError {
    const next = this.#next();
    if (next === undefined) return this.#error(expected, "the end of the text");
    if (next === "{") return this.#error(expected, "an object");
    if (next === "[") return this.#error(expected, "an array");
    if (next === '"') return this.#error(expected, "a string");
    const token = this.#token();
    return this.#error(expected, token === "" ? quote(next) : quote(token).slice(1, -1));
  }

  #error(expected: string, found: string): InputError {
    // Deeper positions are within skipped values.
    const place = this.#path
      .slice(0, 4)
      .map((key) => (typeof key === "number" ? `[${key}]` : quote(key)))
      .join(" ");
    return new InputError(
      this.#name,
      `${expected} ${place ? `at ${place}` : "at the top level of its JSON"}`,
      found,
    );
  }
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
}
