import { describe, expect, it } from "vitest";
import { headline } from "../../src/report/headline.js";
import { runReport } from "../../src/report/kinds/run.js";
import { nonfiniteSentences } from "../../src/report/nonfinite.js";
import { runVerdict } from "../../src/report/verdict.js";
import { figuresOfRun, renderTable } from "../support/rendered.js";
import { caseOf, resultOf } from "../support/results.js";

const counted = await caseOf([1], [1]);

/** One case of 1,000 weights for each number of those that are not finite. */
function casesWith(...numbers: number[]) {
  return numbers.map((nonfinite) => ({
    totals: { ...counted.totals, elements: 1000 },
    end: { ...counted.end, nonfinite },
  }));
}

describe("weights that are NaN or Inf", () => {
  it("are not mentioned where there are none", () => {
    expect(nonfiniteSentences(casesWith(0, 0), ["a", "b"])).toEqual([]);
  });

  it("are told once for cases with the same number, most first", () => {
    expect(nonfiniteSentences(casesWith(20, 0, 977, 20), ["a", "b", "c", "d"])).toEqual([
      "97.7% of the weights (977) were or became NaN or Inf, stored as c; 2.0% of the weights (20), stored as a and d. " +
        "What follows is about the rest.",
    ]);
  });

  it("are told of three numbers, and how many cases have fewer", () => {
    expect(nonfiniteSentences(casesWith(5, 4, 3, 2, 1), ["a", "b", "c", "d", "e"], "in")).toEqual([
      "0.5% of the weights (5) were or became NaN or Inf, in a; 0.4% of the weights (4), in b; 0.3% of the weights (3), in c; " +
        "fewer in 2 more. What follows is about the rest.",
    ]);
    expect(nonfiniteSentences(casesWith(5, 5, 5, 5), ["a", "b", "c", "d"])[0]).toContain(
      "stored as a and 3 more.",
    );
  });

  // 500 overflows in e4m3fn, which has no Inf: NaN.
  it("come first in the headline and the verdict of a run, which does not say that it keeps", async () => {
    const settings = { format: "e4m3fn", scheme: "master" } as const;
    const result = resultOf([await caseOf([1, 1, 1, 1], [0.5, 500, 500, 500], settings)]);
    const [first, ...rest] = headline(result);
    expect(first).toBe(
      "75.0% of the weights (3) were or became NaN or Inf, stored as e4m3fn master. What follows is about the rest.",
    );
    expect(rest.at(-1)).toBe(
      "Of the displacement of an fp32 run, e4m3fn master retains 100.0% in its finite weights.",
    );
    expect(runVerdict(result)).toBe(
      "75.0% of the weights (3) are NaN or Inf. No verdict: e4m3fn with an fp32 master.",
    );
  });

  it("are in no tile, ring or column, each of which says so", async () => {
    const settings = { format: "e4m3fn", scheme: "master" } as const;
    const result = resultOf([await caseOf([1, 1, 1, 1], [0.5, 500, 500, 500], settings)]);
    const report = runReport(result);
    expect(report.tiles.map(([name]) => name)).toEqual([
      "of the finite weights unchanged at the end, stored as e4m3fn with an fp32 master",
      "of these hidden: fp32 would have changed them",
      "of the nonzero updates of finite weights are lost",
      "of the fp32 displacement of the finite weights is retained, by weight and carrier together",
    ]);
    expect(report.scores?.of).toMatchObject([{ shown: "100.0%", said: "of finite weights: no verdict" }]);
    expect(report.scores?.note).not.toContain("every update");
    const [classes] = figuresOfRun(result);
    expect(classes.title).toBe(
      "Stored as e4m3fn master, every nonzero update of finite weights moved its weight",
    );
    expect(classes.caption).toContain("What became of every update of finite weights; none was zero.");
    const terminal = renderTable(result).replaceAll("\n", " ");
    expect(terminal).toContain("At the end, of the finite weights: unchanged bits");
    expect(terminal).toContain("Of the displacement of an fp32 run, of the finite weights: retained");
  });

  it("leave the words as they are where there are none", async () => {
    const report = runReport(resultOf([await caseOf([1, 1], [0.5, 0.5])]));
    const told = JSON.stringify([report.tiles, report.scores]);
    expect(told).toContain("of the updates that were not zero are lost");
    expect(told).toContain("100% keeps every update.");
    expect(told).not.toContain("finite");
  });
});
