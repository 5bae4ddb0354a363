import { describe, expect, test } from "vitest";
import type { LearnResult, LearnRun } from "../../../src/lens/learning/learning.js";
import { estimate, summaryOf } from "../../../src/lens/learning/learning-summary.js";

/** A run that is told by what the summary reads. */
function run(format: string, scheme: string, lr: number, seed: number, pass: number): LearnRun {
  const passAt = (first: number) => ({ "1": first, "32": 1 });
  const learnRun = {
    ...{ run: "rlvr", format, scheme, rounding: "nearest-even", opmath: "fp32", lr, seed },
    base: { passAt: passAt(0.5) },
    outcome: { passAt: passAt(pass), klForward: null },
    heldOut: [],
    totals: { elements: 10, steps: 2, moved: 5 },
    end: { unchanged: 4, retained: 0.5 },
  };
  return learnRun as unknown as LearnRun;
}

const result = (runs: LearnRun[]) => ({ runs }) as unknown as LearnResult;

test("an estimate has Student's interval, none of one value, and is null where one is missing", () => {
  const { mean, half } = estimate([1, 2, 3])!;
  expect(mean).toBe(2);
  // t with two degrees of freedom, over the root of three.
  expect(half).toBeCloseTo(4.3027 / Math.sqrt(3), 3);
  expect(estimate([7])).toEqual({ mean: 7, half: null });
  expect(estimate([1, null])).toBeNull();
  expect(estimate([])).toBeNull();
  expect(estimate(Array.from({ length: 200 }, (_, i) => i % 2))!.half).toBeCloseTo(
    (1.96 * 0.5013) / Math.sqrt(200),
    4,
  );
});

describe("rows", () => {
  const rows = summaryOf(
    result([
      run("fp32", "in-place", 1e-5, 0, 0.75),
      run("bf16", "in-place", 1e-5, 0, 0.625),
      run("fp32", "in-place", 1e-5, 1, 1),
      run("bf16", "in-place", 1e-5, 1, 0.75),
      run("bf16", "in-place", 1e-4, 0, 0.75),
    ]),
  );

  test("are one for each way, over its seeds, in the order of the runs", () => {
    expect(rows.map(({ format, lr, seeds }) => [format, lr, seeds])).toEqual([
      ["fp32", 1e-5, 2],
      ["bf16", 1e-5, 2],
      ["bf16", 1e-4, 1],
    ]);
    expect(rows[1]).toMatchObject({
      passAt1: { mean: 0.6875 },
      unchanged: { mean: 0.4 },
      moved: { mean: 0.25 },
    });
  });

  test("have the share of what fp32 gained with the same seed and rate; none without it", () => {
    expect(rows[0].gain).toEqual({ mean: 1, half: 0 });
    expect(rows[1].gain).toEqual({ mean: 0.5, half: 0 });
    expect(rows[2].gain).toBeNull();
  });
});
