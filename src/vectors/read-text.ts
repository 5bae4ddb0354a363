import { askedOperations, defaultSettings, type VectorSettings } from "./settings.js";
import { type Column, wordsOf } from "./subject.js";
import { vectorsSchema } from "./text.js";

/** An unreadable table: what was expected where, and what was found. */
export class VectorsError extends Error {
  constructor(
    readonly expected: string,
    readonly found: string,
  ) {
    super(`expected ${expected}, found ${found}`);
  }
}

/** The settings in the first line of our tables, or in their JSON; null for any other line. */
export function settingsIn(text: string): VectorSettings | null {
  let about: unknown;
  try {
    about = JSON.parse(text);
  } catch {
    return null;
  }
  const given = about as Partial<VectorSettings> & { readonly schema?: unknown };
  if (typeof given !== "object" || given === null || given.schema !== vectorsSchema) return null;
  const settings = Object.fromEntries(
    Object.entries(defaultSettings).map(([key, value]) => {
      const found = (given as Record<string, unknown>)[key] ?? value;
      if (typeof found !== typeof value)
        throw new VectorsError(`"${key}" to be a ${typeof value}`, JSON.stringify(found));
      return [key, found];
    }),
  ) as unknown as VectorSettings;
  if (!askedOperations.includes(settings.operation)) {
    throw new VectorsError(
      `an operation (${askedOperations.join(", ")})`,
      JSON.stringify(settings.operation),
    );
  }
  return settings;
}

/** Reads rows of codes in hexadecimal into words. */
export class RowReader {
  readonly #columns: readonly Column[];
  readonly #codes: number;
  readonly words: Uint32Array;

  constructor(columns: readonly Column[]) {
    this.#columns = columns;
    this.#codes = columns.reduce((codes, { width }) => codes + width, 0);
    this.words = new Uint32Array(wordsOf(columns));
  }

  /** The words of a row, which hold until the next one. What TestFloat writes after the codes, its flags, is not read. */
  row(codes: readonly string[], where: string): Uint32Array {
    if (codes.length !== this.#codes && codes.length !== this.#codes + 1) {
      throw new VectorsError(`${this.#codes} codes in ${where}`, `${codes.length}`);
    }
    let word = 0;
    let next = 0;
    for (const { bits, width, name } of this.#columns) {
      for (let i = 0; i < width; i++) {
        const code = codes[next++];
        const text = code.startsWith("0x") || code.startsWith("0X") ? code.slice(2) : code;
        if (!/^[0-9a-f]+$/i.test(text) || text.length > Math.ceil(bits / 4))
          throw wrongCode(bits, name, where, code);
        if (bits > 32) {
          this.words[word++] = Number.parseInt(text.slice(0, -8) || "0", 16);
          this.words[word++] = Number.parseInt(text.slice(-8), 16);
          continue;
        }
        const value = Number.parseInt(text, 16);
        if (value >= 2 ** bits) throw wrongCode(bits, name, where, code);
        this.words[word++] = value;
      }
    }
    return this.words;
  }
}

function wrongCode(bits: number, name: string, where: string, found: string): VectorsError {
  return new VectorsError(
    `a code of ${bits} bits in hexadecimal as ${name} in ${where}`,
    JSON.stringify(found.slice(0, 40)),
  );
}
