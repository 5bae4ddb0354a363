import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stratify } from "../../../src/source/synthetic/sample.js";

const sum = (list: readonly number[]) => list.reduce((total, n) => total + n, 0);

/** Sizes from 1 to a million of all orders, and a number of elements that a sample of them can have. */
const jobs = fc
  .array(
    fc
      .tuple(fc.integer({ min: 0, max: 19 }), fc.double({ min: 1, max: 2, noNaN: true }))
      .map(([e, x]) => Math.floor(2 ** e * x)),
    { minLength: 1, maxLength: 40 },
  )
  .chain((sizes) => fc.tuple(fc.constant(sizes), fc.integer({ min: sizes.length, max: sum(sizes) })));

describe("stratify", () => {
  it.each([
    [[60, 30, 10], 10, [6, 3, 1]],
    // 3.5, 3.5 and 3: the first of equal remainders.
    [[7, 7, 6], 10, [4, 3, 3]],
    // .9 became 1 already, so that 1.9 has the largest remainder.
    [[9, 19, 72], 10, [1, 2, 7]],
    // One of each is more than there is: the largest gives.
    [[1, 1, 1, 97], 5, [1, 1, 1, 2]],
    [[5], 3, [3]],
    [[4, 4], 2, [1, 1]],
  ])("%j, %s elements: %j", (sizes, elements, expected) => {
    expect(stratify(sizes, elements)).toEqual(expected);
  });

  it("takes as many as asked for, one of each at least, none that is not there", () => {
    fc.assert(
      fc.property(jobs, ([sizes, elements]) => {
        const taken = stratify(sizes, elements);
        expect(sum(taken)).toBe(elements);
        expect(taken).toHaveLength(sizes.length);
        for (const [i, n] of taken.entries()) {
          if (!(Number.isInteger(n) && n >= 1 && n <= sizes[i])) expect.fail(`${n} of ${sizes[i]}`);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("takes no more of a tensor than its share rounded up, and no fewer than rounded down where no share is below one", () => {
    fc.assert(
      fc.property(jobs, ([sizes, elements]) => {
        const total = sum(sizes);
        const taken = stratify(sizes, elements);
        // In integers: n <= ceil(size elements / total) is (n - 1) total < size elements.
        for (const [i, n] of taken.entries())
          if (n > 1) expect((n - 1) * total).toBeLessThan(sizes[i] * elements);
        if (sizes.every((size) => size * elements >= total)) {
          for (const [i, n] of taken.entries()) expect((n + 1) * total).toBeGreaterThan(sizes[i] * elements);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("takes all where that is asked for, or more, and leaves the sizes as they are", () => {
    const sizes = [3, 1, 2];
    for (const elements of [6, 7, Infinity]) expect(stratify(sizes, elements)).toEqual(sizes);
    expect(stratify(sizes, 6)).not.toBe(sizes);
    expect(stratify([], 0)).toEqual([]);
  });

  it("refuses fewer elements than tensors", () => {
    expect(() => stratify([10, 10, 10], 2)).toThrow(
      new RangeError("2 elements: expected at least one for each of 3 tensors"),
    );
  });
});
