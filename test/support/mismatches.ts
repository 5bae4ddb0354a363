import { isDeepStrictEqual } from "node:util";
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
    if (!Object.is(actual, expected)) this.add(actual, expected, describe());
  }

  /** Records a comparison by the caller: loops of millions are twice as fast without a closure per case. */
  add(actual: number, expected: number, what: string): void {
    this.#count += 1;
    if (this.#count === 1) this.#first = `${what}: expected ${expected}, got ${actual}`;
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

/** `expect(actual).toBe(expected)` for the body of a property: an `expect` costs more than most cases it judges. */
export function expectSame(actual: number, expected: number, what?: string): void {
  if (!Object.is(actual, expected)) expect(actual, what).toBe(expected);
}

/** `expect(actual).toEqual(expected)` for long arrays and large objects, many times faster where they are equal. */
export function expectEqual<T>(actual: T, expected: T, what?: string): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual, what).toEqual(expected);
}
