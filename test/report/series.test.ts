import { expect, test } from "vitest";
import type { SeriesResult } from "../../src/lens/difference/series.js";
import { seriesHeadline } from "../../src/report/series.js";

/** Steps in which so many of 1,000 weights are NaN or Inf, and all others are unchanged. */
function seriesWith(...numbers: number[]): SeriesResult {
  const steps = numbers.map((nonfinite) => {
    const totals = { elements: 1000, nonfinite, changed: 0, apparentSparsity: 1 };
    return { change: { totals }, sinceStart: { totals } };
  });
  return { steps, skipped: [] } as unknown as SeriesResult;
}

test("the headline of a series says first how many weights are NaN or Inf, and in which step most are", () => {
  const [first, second] = seriesHeadline(seriesWith(0, 977, 20));
  expect(first).toBe("97.7% of the weights (977) are NaN or Inf in step 2. What follows is about the rest.");
  expect(second).toMatch(/^Each step changed 0.0% of the weights/);
  expect(seriesHeadline(seriesWith(0, 0))[0]).toBe(second.replace("3 steps", "2 steps"));
});
