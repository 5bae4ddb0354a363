import { describe, expect, it } from "vitest";
import { compareEnds } from "../../src/lens/compare.js";
import { Histogram } from "../../src/lens/histogram.js";
import type { Values } from "../../src/lens/input.js";
import { ExactSum } from "../../src/lens/sum.js";

/** Values that hold their readers to the contract. */
function strict(data: Float64Array): Values {
  return {
    length: data.length,
    read: async (start, into) => {
      expect(start + into.length).toBeLessThanOrEqual(data.length);
      into.set(data.subarray(start, start + into.length));
    },
  };
}

describe("compareEnds", () => {
  it.each([1, 2 ** 17, 2 ** 17 + 1])(
    "reads no more than the %i numbers there are, each of them once",
    async (n) => {
      const start = new Float64Array(n);
      const stored = start.map((_, i) => i % 4);
      const master = start.map((_, i) => i % 16);
      expect(await compareEnds(strict(start), strict(stored), strict(master))).toEqual({
        elements: n,
        unchanged: Math.ceil(n / 4),
        unchangedInMaster: Math.ceil(n / 16),
      });
    },
  );
});

it("a histogram does not keep bins that hold nothing", () => {
  const wide = { firstBin: -2, lost: [0, 0, 1, 0], kept: [0, 0, 0, 0], moved: [0, 0, 0, 0] };
  expect(Histogram.fromJSON(wide).toJSON()).toEqual({ firstBin: 0, lost: [1], kept: [0], moved: [0] });
});

it("a sum goes on below parts that add up without error", () => {
  // Cancelled to 256 + 1 + 2^-60: the first two are one number.
  const sum = ExactSum.of([2 ** -60, 1, 2 ** 60, 256 - 2 ** 60]);
  expect(sum.value()).toBe(257);
  expect(sum.parts()).toEqual([257, 2 ** -60]);
});
