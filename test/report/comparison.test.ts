import { describe, expect, it } from "vitest";
import type { RunComparison } from "../../src/lens/learning/run-comparison.js";
import { comparisonHeadline, comparisonNotes, comparisonTable } from "../../src/report/comparison.js";
import { comparisonReport } from "../../src/report/kinds/comparison.js";
import { caseOf } from "../support/results.js";
import { expectValid } from "../support/schemas.js";

const { totals, end } = await caseOf([1], [1]);

/** Runs O1, O2, ... that retain these shares, the first with some weights of 1,000 that are not finite. */
function runsThat(retained: readonly (number | null)[], nonfinite = 0): RunComparison {
  return {
    schema: "precision-lens-compare/1",
    tool: { name: "precision-lens", version: "0.0.0" },
    input: { runs: retained.length },
    settings: { format: "bf16", scheme: "in-place", rounding: "nearest-even", seed: 0 },
    runs: retained.map((share, i) => ({
      path: `O${i + 1}`,
      metadata: {},
      stepNumbers: [0],
      totals: { ...totals, elements: 1000 },
      end: { ...end, retained: share, nonfinite: i === 0 ? nonfinite : 0 },
      outcome: null,
      skipped: [],
    })),
  };
}

describe("the headline of compared runs", () => {
  it.each([
    [
      "both ends by name",
      [1, 0.25, 0.5],
      "O2 retains 25.0% of its fp32 displacement; most is retained by O1, 100.0%.",
    ],
    [
      "no range where the digits are the same",
      [1.0008, 1.0009],
      "every run retains 100.1% of its fp32 displacement.",
    ],
    ["not every run where one is unknown", [1, null], "O1 retains 100.0% of its fp32 displacement."],
    ["one run by its name", [0.5], "O1 retains 50.0% of its fp32 displacement."],
  ])("tells %s", (_, retained, told) => {
    expect(comparisonHeadline(runsThat(retained))).toEqual([`As if stored as bf16 in-place, ${told}`]);
  });

  /** The same, with the ways of storing that their recordings state. */
  function storedAs(result: RunComparison, ...schemes: (string | null)[]): RunComparison {
    const way = (scheme: string) => ({ format: "bf16", scheme, rounding: "nearest-even" });
    const runs = result.runs.map((run, i) => {
      const scheme = schemes[i];
      return scheme === null ? run : { ...run, storedAs: way(scheme) };
    });
    return { ...result, runs };
  }

  it("names the way of storing that recordings state, each its own where they differ", () => {
    const [same] = comparisonHeadline(storedAs(runsThat([0.25, 0.5]), "master", "master"));
    expect(same).toBe(
      "Stored as bf16 master, O1 retains 25.0% of its fp32 displacement; most is retained by O2, 50.0%.",
    );
    const mixed = storedAs(runsThat([0.25, 1, 0.5]), "in-place", "master", null);
    expect(comparisonHeadline(mixed)).toEqual([
      "Stored each in its own way, O1 (bf16 in-place) retains 25.0% of its fp32 displacement; most is retained by O2 (bf16 master), 100.0%.",
    ]);
    const { headings, rows } = comparisonTable(mixed);
    expect(headings.slice(0, 2)).toEqual(["run", "stored as"]);
    expect(rows.map(([, stored]) => stored)).toEqual(["bf16 in-place", "bf16 master", "bf16 in-place"]);
    expect(comparisonNotes(mixed)[0]).toContain(
      "Updates counted of each run as its recording says; as if stored as bf16 in-place where it does not say: O3; retained: ",
    );
    expectValid("compare", mixed);
  });

  it("leaves a run empty whose updates could not be counted, with the reason", () => {
    const [first, second] = runsThat([0.25, null]).runs;
    const empty = { ...second, uncounted: "it has only gradients" };
    const result = { ...runsThat([]), runs: [first, empty] };
    expect(comparisonHeadline(result)).toEqual([
      "As if stored as bf16 in-place, O1 retains 25.0% of its fp32 displacement.",
    ]);
    expect(comparisonNotes(result)).toContain("O2 was not counted: it has only gradients.");
    expect(comparisonHeadline({ ...result, runs: [empty] })).toEqual([
      "None of these runs has updates that were counted.",
    ]);
    expectValid("compare", result);
  });

  it("begins with the weights that are NaN or Inf, and such a run is not said to keep its updates", () => {
    const result = runsThat([1, 1], 977);
    expect(comparisonHeadline(result)[0]).toBe(
      "97.7% of the weights (977) were or became NaN or Inf, in O1. What follows is about the rest.",
    );
    const { scores, tiles, meaning } = comparisonReport(result);
    expect(scores?.of.map(({ said }) => said)).toEqual([
      "of finite weights: no verdict",
      "keeps its updates",
    ]);
    expect(tiles.map(([name]) => name)).toEqual([
      "of the fp32 displacement of the finite weights is retained: O1",
      "of the finite weights look unchanged: O1",
      "of the fp32 displacement is retained: O2",
      "of the weights look unchanged: O2",
    ]);
    expect(meaning[0]).toContain("retained: the share of the fp32 displacement of the finite weights that");
    expect(comparisonReport(runsThat([1, 1])).meaning[0]).not.toContain("finite");
  });
});
