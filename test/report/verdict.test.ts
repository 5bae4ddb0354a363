import { expect, test } from "vitest";
import { checkOf } from "../../src/lens/run/check.js";
import type { Result } from "../../src/lens/run/result.js";
import { renderCheck } from "../../src/report/check.js";
import { runReport } from "../../src/report/kinds/run.js";
import { runScores, runVerdict } from "../../src/report/verdict.js";
import { caseOf, resultOf } from "../support/results.js";

const weights = [1, 0.5, -2, 3];
const updates = [1e-4, 0, 0.5, 1e-3];

/** One case, its end as these numbers have it. */
async function resultWith(
  end: Partial<Result["cases"][number]["end"]>,
  settings: Parameters<typeof caseOf>[2] = {},
): Promise<Result> {
  const caseResult = await caseOf(weights, updates, settings);
  return resultOf([{ ...caseResult, end: { ...caseResult.end, ...end } }]);
}

test("a report begins with what check says of its first case", async () => {
  for (const [retained, sentence] of [
    [0.25, "Loses 75.0% of what its updates add up to: bf16 in-place."],
    [0.995, "Keeps its updates: bf16 in-place."],
    [1.5, "Goes 50.0% further than its updates add up to: bf16 in-place."],
    [null, "No verdict: bf16 in-place."],
  ] as const) {
    const result = await resultWith({ retained, noise: 0 });
    expect(runVerdict(result)).toBe(sentence);
    expect(renderCheck(checkOf(result, null)).split("\n")[0]).toBe(sentence);
  }
  const stochastic = await resultWith({ retained: 1.2, noise: 3 }, { rounding: "stochastic" });
  expect(runVerdict(stochastic)).toMatch(/^Keeps its updates on average: bf16 in-place with stochastic/);
});

test("a sample tells a loss where its interval is clear of all, else that it does not tell", async () => {
  const result = await resultWith({ retained: 0.5, noise: 0 });
  const sampled = (low: number, high: number) => {
    const retained = { estimate: (low + high) / 2, low, high };
    const cases = [{ retained, noise: { estimate: 0, low: 0, high: 0 } }];
    return runVerdict({
      ...result,
      sampling: { parameters: 1e9, confidence: 0.95, cases },
    } as unknown as Result);
  };
  expect(sampled(0.49, 0.51)).toMatch(/^Loses 49 to 51% of|^Loses 50% of/);
  expect(sampled(0.9, 1.02)).toBe("This sample does not tell whether updates are kept: bf16 in-place.");
  expect(sampled(0.992, 1.004)).toBe("Keeps its updates: bf16 in-place.");
  expect(sampled(1.1, 1.2)).toMatch(/^Goes .* further/);
});

test("rings are as full as what is retained, and coloured by the verdict", async () => {
  const [lost] = runScores(await resultWith({ retained: 0.035, noise: 0 }));
  expect(lost).toEqual({
    label: "bf16 in-place",
    share: 0.035,
    shown: "3.5%",
    said: "loses updates",
    tone: "bad",
  });
  const [held] = runScores(await resultWith({ retained: 1, noise: 0 }));
  expect(held).toMatchObject({ shown: "100.0%", tone: "good" });
  const [unknown] = runScores(await resultWith({ retained: null, noise: null }));
  expect(unknown).toMatchObject({ share: null, tone: "plain" });
});

test("where weights are left out, that is said before any verdict", async () => {
  const result = await resultWith({ retained: 1, noise: 0 });
  const skipped = [{ name: "codes", reason: "no format known here", elements: 396 }];
  expect(runReport(result).verdict).toBe("Keeps its updates: bf16 in-place.");
  const report = runReport({ ...result, skipped });
  expect(report.verdict).toBeUndefined();
  expect(report.headline[0]).toMatch(/^99\.0% of the weights are not counted/);
});
