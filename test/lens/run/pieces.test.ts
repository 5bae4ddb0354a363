import { expect, it } from "vitest";
import { Histogram } from "../../../src/lens/histogram.js";
import { ExactSum } from "../../../src/lens/sum.js";

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
