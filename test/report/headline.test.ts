import { describe, expect, test } from "vitest";
import { headline } from "../../src/report/headline.js";
import { caseOf, resultOf } from "../support/results.js";

describe("headline", () => {
  test("tells of the first case", async () => {
    // Lost, moved, zero, lost: three of four stored bits the same, two of them where fp32 would have moved.
    const weights = [1, 1, 1, 0.5];
    const updates = [1e-4, 0.5, 0, -1e-5];
    const cases = [await caseOf(weights, updates), await caseOf(weights, updates, { format: "fp32" })];
    expect(headline(resultOf(cases))).toEqual([
      "Stored as bf16 in place, 75.0% of the updates changed no stored bit; 25.0% were really zero.",
      "After 1 step 75.0% of the weights are bit for bit what they were; 66.7% of these an fp32 run would have changed.",
    ]);
    expect(headline(resultOf(cases.reverse()))).toEqual([
      "Stored as fp32 in place, 25.0% of the updates changed no stored bit; 25.0% were really zero.",
      "After 1 step 25.0% of the weights are bit for bit what they were; 0.0% of these an fp32 run would have changed.",
    ]);
  });

  test("has no share of unchanged weights where there are none", async () => {
    const [, end] = headline(resultOf([await caseOf([1], [1])]));
    expect(end).toBe("After 1 step 0.0% of the weights are bit for bit what they were.");
  });

  test("says so where nothing can be said", async () => {
    const nothing = ["No update was finite: nothing can be said of sparsity."];
    expect(headline(resultOf([await caseOf([1, Number.NaN], [Number.POSITIVE_INFINITY, 1])]))).toEqual(
      nothing,
    );
    expect(headline(resultOf([await caseOf([], [])]))).toEqual(nothing);
  });
});
