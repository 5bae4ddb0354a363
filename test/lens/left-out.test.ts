import { expect, it } from "vitest";
import { leftOut } from "../../src/lens/left-out.js";

it("is the share of all weights, and the tensor with most of them", () => {
  const skipped = [
    { name: "scales", reason: "belongs to the codes" },
    { name: "a", reason: "is U8", elements: 100 },
    { name: "b", reason: "is I8", elements: 880 },
    { name: "empty", reason: "is U8", elements: 0 },
  ];
  expect(leftOut(skipped, 20)).toEqual({ tensors: 2, weights: 980, share: 0.98, largest: skipped[2] });
  expect(leftOut(skipped.slice(1), 0)?.share).toBe(1);
});

it("is nothing where no weight was left out", () => {
  expect(leftOut([], 20)).toBeNull();
  expect(leftOut([{ name: "step1/x", reason: "no weight of that name" }], 20)).toBeNull();
  expect(leftOut([{ name: "empty", reason: "is U8", elements: 0 }], 0)).toBeNull();
});
