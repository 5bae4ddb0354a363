import { expect } from "vitest";

/**
 * Counts the wrong results of a long loop, and keeps the first one, for a single assertion at its end: `expect` on
 * every element would take minutes.
 */
export class Mismatches {
  #count = 0;
  #first = "";

  /** Records that `actual` is not bit for bit `expected`; `describe` is called for the first time only. */
  compare(actual: number, expected: number, describe: () => string): void {
    if (Object.is(actual, expected)) return;
    this.#count += 1;
    if (this.#count === 1) this.#first = `${describe()}: expected ${expected}, got ${actual}`;
  }

  /** The same, for a law that should hold. */
  check(holds: boolean, describe: () => string): void {
    if (holds) return;
    this.#count += 1;
    if (this.#count === 1) this.#first = describe();
  }

  expectNone(): void {
    expect(this.#count === 0 ? "" : `${this.#count} mismatches, first: ${this.#first}`).toBe("");
  }
}
