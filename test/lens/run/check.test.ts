import { describe, expect, it } from "vitest";
import type { Case } from "../../../src/lens/run/case.js";
import { checkOf, verdictOf } from "../../../src/lens/run/check.js";
import type { Result } from "../../../src/lens/run/result.js";
import { caseOf, resultOf } from "../../support/results.js";

const counted = await caseOf([1, 1, 1, 1], [1e-4, 0, 0.5, 0], { scheme: "kahan" });

/** A result whose one case has these classes and this end; all else is that of a counted one. */
function resultWith(
  end: Partial<Case["end"]> = {},
  classes: Partial<Case["totals"]> = {},
  changes: Partial<Case> = {},
): Result {
  const caseResult = {
    ...counted,
    totals: { ...counted.totals, none: 100, lost: 1, kept: 2, moved: 5, ...classes },
    end: { ...counted.end, retained: 0.75, visible: 0.25, noise: 0.5, noiseToWeight: 0.125, ...end },
    ...changes,
  };
  return resultOf([caseResult], { skipped: [{ name: "ids", reason: "integers" }] });
}

describe("a check", () => {
  it("is one case in a few numbers, and tells of what, by what and without what it was counted", () => {
    const result = resultWith();
    const check = checkOf(result, null);
    expect(check).toEqual({
      schema: "precision-lens-check/1",
      tool: result.tool,
      input: result.input,
      engine: result.engine,
      format: "bf16",
      scheme: "kahan",
      rounding: "nearest-even",
      verdict: "loses",
      retained: 0.75,
      visible: 0.25,
      noise: 0.5,
      noiseToWeight: 0.125,
      nonfinite: 0,
      lost: 0.25,
      // Of the eight updates that were not zero.
      updates: { lost: 1 / 8, kept: 2 / 8, moved: 5 / 8 },
      failAbove: null,
      failed: false,
      skipped: [{ name: "ids", reason: "integers" }],
    });
  });

  it("has no shares of updates that were all zero, and no loss where no displacement is known", () => {
    const check = checkOf(resultWith({ retained: null }, { lost: 0, kept: 0, moved: 0 }), null);
    expect(check.updates).toEqual({ lost: null, kept: null, moved: null });
    expect(check).toMatchObject({ retained: null, lost: null, verdict: "unknown", failed: false });
  });

  it.each<[string, number | null, number | null, boolean]>([
    ["less is lost than is allowed", 0.75, 0.3, false],
    ["as much is lost as is allowed", 0.75, 0.25, false],
    ["more is lost than is allowed", 0.75, 0.2, true],
    ["an overshoot loses nothing", 1.5, 0, false],
    ["it is unknown what is lost", null, 0.9, true],
    ["nothing was asked", 0, null, false],
  ])("%s", (_, retained, failAbove, failed) => {
    expect(checkOf(resultWith({ retained }), failAbove)).toMatchObject({ failAbove, failed });
  });

  it.each([
    ["keeps", 1, "unknown"],
    ["loses", 0.75, "loses"],
    ["overshoots", 1.5, "overshoots"],
  ])("is never that a run with weights that are NaN or Inf keeps its updates: %s", (_, retained, verdict) => {
    for (const rounding of ["nearest-even", "stochastic"]) {
      const result = resultWith({ retained, nonfinite: 3, noise: 0 }, {}, { rounding });
      expect(checkOf(result, 1)).toMatchObject({ verdict, nonfinite: 3, failed: true });
      expect(checkOf(result, null).failed).toBe(false);
    }
  });

  it("judges stochastic rounding by its noise and by how many weights there are", () => {
    // 5 % are missing; 3 x .5 / sqrt(4) may be chance, 3 x .5 / sqrt(10^4) may not.
    const verdict = (elements: number) =>
      checkOf(resultWith({ retained: 0.95 }, { elements }, { rounding: "stochastic" }), null).verdict;
    expect([verdict(4), verdict(1e4)]).toEqual(["keeps-on-average", "loses"]);
  });
});

describe("a verdict", () => {
  it.each([
    [0, "keeps"],
    [0.01, "keeps"],
    [-0.01, "keeps"],
    [0.0101, "loses"],
    [1, "loses"],
    [-0.0101, "overshoots"],
    [null, "unknown"],
  ])("of %s lost by nearest-even is %s, whatever the noise", (lost, expected) => {
    for (const noise of [null, 0, 100]) expect(verdictOf(lost, noise, "nearest-even", 4, 0)).toBe(expected);
  });

  it.each([
    // Three standard errors beyond 1 %: 3 x 2 / sqrt(400) = 30 %.
    [0.305, 2, 400, "keeps-on-average"],
    [-0.305, 2, 400, "keeps-on-average"],
    [0.315, 2, 400, "loses"],
    [-0.315, 2, 400, "overshoots"],
    [0.005, null, 400, "keeps-on-average"],
    [0.015, null, 400, "loses"],
    [null, 2, 400, "unknown"],
  ])(
    "of %s lost by stochastic rounding with noise %s over %s weights is %s",
    (lost, noise, weights, expected) => {
      expect(verdictOf(lost, noise, "stochastic", weights, 0)).toBe(expected);
    },
  );
});

it("only chance keeps on average: neither a master under stochastic rounding nor noise of another rounding", () => {
  expect(verdictOf(0, 0, "stochastic", 4, 0)).toBe("keeps");
  expect(verdictOf(0, 1, "stochastic", 4, 0)).toBe("keeps-on-average");
  expect(verdictOf(0, 1, "nearest-even", 4, 0)).toBe("keeps");
});
