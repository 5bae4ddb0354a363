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
      "Stored as bf16 in-place, 75.0% of the updates left the stored weight as it was; 25.0% of the updates were zero.",
      "After 1 step 75.0% of the weights are unchanged; an fp32 run would have changed 66.7% of them.",
      "Of the displacement of an fp32 run, bf16 in-place and fp32 in-place retain all of it, within 1%.",
    ]);
    expect(headline(resultOf(cases.reverse()))).toEqual([
      "Stored as fp32 in-place, 25.0% of the updates left the stored weight as it was; 25.0% of the updates were zero.",
      "After 1 step 25.0% of the weights are unchanged; an fp32 run would have changed 0.0% of them.",
      "Of the displacement of an fp32 run, fp32 in-place and bf16 in-place retain all of it, within 1%.",
    ]);
  });

  test("has no share of unchanged weights where there are none", async () => {
    const [, end] = headline(resultOf([await caseOf([1], [1])]));
    expect(end).toBe("After 1 step 0.0% of the weights are unchanged.");
  });

  test("says first which share of the weights was left out, and why", async () => {
    const cases = [await caseOf([1], [1])];
    const skipped = [
      { name: "scales", reason: "belongs to the codes" },
      { name: "experts", reason: "its dtype is U8", elements: 99 },
    ];
    const [first, ...rest] = headline(resultOf(cases, { skipped }));
    expect(first).toBe(
      "99.0% of the weights are not counted (tensor experts: its dtype is U8). What follows is about the rest.",
    );
    expect(rest).toEqual(headline(resultOf(cases)));
  });

  test("tells who loses and who keeps; that a master learns, though its bits lag", async () => {
    const weights = [1, 1, 2, -1];
    const updates = [1e-4, 1e-4, -1e-4, 1e-4];
    const schemes = ["in-place", "master", "kahan"] as const;
    const cases = await Promise.all(schemes.map((scheme) => caseOf(weights, updates, { scheme })));
    expect(headline(resultOf(cases)).at(-1)).toBe(
      "Of the displacement of an fp32 run, bf16 in-place retains 0.0%; bf16 master and bf16 kahan retain all of it, within 1%.",
    );
  });

  test("does not say that a rounding with a bias keeps the updates: it goes too far", async () => {
    const caseResult = await caseOf([1, 1], [1e-3, 2e-3], { rounding: "toward-positive" });
    expect(caseResult.end.retained).toBeGreaterThan(2);
    expect(headline(resultOf([caseResult])).at(-1)).toMatch(
      /^Of the displacement of an fp32 run, bf16 in-place toward-positive retains [2-9]\d\d\.\d%\.$/,
    );
  });

  test("does not call an update lost that stochastic rounding keeps on average", async () => {
    const caseResult = await caseOf([1, 1, 1, 1], [1e-3, 1e-3, 1e-3, 0], { rounding: "stochastic", seed: 1 });
    const [first, , last] = headline(resultOf([caseResult]));
    expect(first).toMatch(
      /^Stored as bf16 in-place with stochastic rounding, [\d.]+% of the updates did not move their weight when they came, by chance: on average each moves it by its whole size; 25.0% of the updates were zero.$/,
    );
    expect(first).not.toMatch(/lost|rounded away/);
    expect(last).toMatch(
      /^Of the displacement of an fp32 run, bf16 stochastic retains [\d.]+% with noise of [\d.]+ times it\.$/,
    );
  });

  test("of a result that does not tell it says nothing of what is retained", async () => {
    const caseResult = await caseOf([1], [1]);
    const unknown = { ...caseResult, end: { ...caseResult.end, retained: null, noise: null } };
    expect(headline(resultOf([unknown]))).toHaveLength(2);
  });

  test("says so where nothing can be said: no weight is finite, or there is none", async () => {
    const nothing = await caseOf([1, Number.NaN], [Number.POSITIVE_INFINITY, 1]);
    expect(headline(resultOf([nothing]))).toEqual([
      "Stored as bf16 in-place, no weight is finite: in every step the weight, its update or what is stored is NaN or Inf. " +
        "Nothing can be said of sparsity.",
    ]);
    expect(headline(resultOf([await caseOf([], [])]))).toEqual(["There are no weights."]);
  });

  test("does not blame updates that are finite where a scale that is NaN takes the whole block", async () => {
    const weights = [1, Number.NaN, 2, 3];
    const finite = [1e-4, 1e-4, 1e-4, 1e-4];
    const block = await caseOf(weights, finite, { format: "mxfp4", scheme: "master" });
    const said = headline(resultOf([block]));
    expect(said).toEqual([
      expect.stringMatching(
        /^Stored as mxfp4 .*no weight is finite: .* NaN or Inf, by itself or by a scale that it shares\. Nothing can be/,
      ),
    ]);
    // The cases after it are told of.
    const plain = await caseOf(weights, finite, { scheme: "master" });
    expect(headline(resultOf([block, plain]))).toEqual([
      said[0],
      "100.0% of the weights (4) were or became NaN or Inf, stored as mxfp4 master; 25.0% of the weights (1), stored as bf16 " +
        "master. What follows is about the rest.",
      "Of the displacement of an fp32 run, bf16 master retains 100.0% in its finite weights.",
    ]);
  });
});
