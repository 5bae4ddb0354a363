import { positions } from "./shape.js";

/**
 * Texts as a tree of their prefixes. A decoder's computation at a token depends only on the preceding tokens,
 * so texts with a common prefix share rows: sixteen prompts with eight answers each take some 190 rows
 * instead of 1,024, and ten thousand prompts with all answers begin with one of ten tokens.
 */
export class Prefixes {
  readonly tokens: Uint8Array;
  readonly positions: Uint8Array;
  /** The row of each prefix of a prefix, by position: rows of {@link positions} numbers, of which the last used is its own. */
  readonly path: Int32Array;
  /** Rows in use. */
  count = 0;
  /** Row of a child, by parent and token; -1 as a parent for the first token. */
  readonly #children = new Map<number, number>();

  constructor(capacity: number) {
    this.tokens = new Uint8Array(capacity);
    this.positions = new Uint8Array(capacity);
    this.path = new Int32Array(capacity * positions);
  }

  clear(): void {
    this.count = 0;
    this.#children.clear();
  }

  /** The row of a prefix plus one token; created if missing. */
  child(parent: number, token: number): number {
    const key = (parent + 1) * 16 + token;
    const known = this.#children.get(key);
    if (known !== undefined) return known;
    const row = this.append(parent, token);
    this.#children.set(key, row);
    return row;
  }

  /** A new row, known by the caller to be missing. */
  append(parent: number, token: number): number {
    const row = this.count;
    if (row === this.tokens.length) throw new RangeError(`more than ${row} prefixes`);
    const position = parent < 0 ? 0 : this.positions[parent] + 1;
    if (position >= positions) throw new RangeError(`a text of more than ${positions} tokens`);
    this.count += 1;
    this.tokens[row] = token;
    this.positions[row] = position;
    for (let i = 0; i < position; i++) this.path[row * positions + i] = this.path[parent * positions + i];
    this.path[row * positions + position] = row;
    return row;
  }

  /** The row of a whole text. */
  text(tokens: ArrayLike<number>): number {
    let row = -1;
    for (let i = 0; i < tokens.length; i++) row = this.child(row, tokens[i]);
    return row;
  }
}
