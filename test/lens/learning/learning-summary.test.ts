import { describe, expect, test } from "vitest";
import { measureNames } from "../../../src/lens/geometry-result.js";
import type { LearnResult, LearnRun } from "../../../src/lens/learning/learning.js";
import { estimate, isFp32, summaryOf } from "../../../src/lens/learning/learning-summary.js";

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

test("an interval does not lose a small spread of large numbers", () => {
  // Multiples of 2^-10 that fill the 53 bits of fp64, as do their sums in this order: so the mean is exact.
  const values = [1, 3, 2].map((step) => 2 ** 42 + step * 2 ** -10);
  expect(estimate(values)!.half).toBeCloseTo((4.3027 * 2 ** -10) / Math.sqrt(3), 6);
});

describe("rows", () => {
  const rowsOf = () =>
    summaryOf(
      result([
        run("fp32", "in-place", 1e-5, 0, 0.75),
        run("bf16", "in-place", 1e-5, 0, 0.625),
        run("fp32", "in-place", 1e-5, 1, 1),
        run("bf16", "in-place", 1e-5, 1, 0.75),
        run("bf16", "in-place", 1e-4, 0, 0.75),
      ]),
    );

  test("are one for each way, over its seeds, in the order of the runs", () => {
    const rows = rowsOf();
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
    const rows = rowsOf();
    expect(rows[0].gain).toEqual({ mean: 1, half: 0 });
    expect(rows[1].gain).toEqual({ mean: 0.5, half: 0 });
    expect(rows[2].gain).toBeNull();
  });
});

test.each([
  ["fp32", "in-place", "nearest-even", true],
  ["bf16", "in-place", "nearest-even", false],
  ["fp32", "kahan", "nearest-even", false],
  ["fp32", "in-place", "stochastic", false],
])("%s %s %s: fp32 itself is %s", (format, scheme, rounding, expected) => {
  expect(isFp32({ format, scheme, rounding })).toBe(expected);
});

describe("the share of fp32's gain", () => {
  const gainOf = (beside: LearnRun, asked = run("bf16", "in-place", 1e-5, 0, 0.75)) =>
    summaryOf(result([beside, asked])).find(({ format }) => format === "bf16")!.gain;
  const fp32 = run("fp32", "in-place", 1e-5, 0, 1);

  test("is that of the fp32 run with the same seed, rate and kind of training", () => {
    expect(gainOf(fp32)).toEqual({ mean: 0.5, half: null });
    expect(gainOf({ ...fp32, seed: 1 })).toBeNull();
    expect(gainOf({ ...fp32, lr: 1e-4 })).toBeNull();
    expect(gainOf({ ...fp32, run: "sft" })).toBeNull();
    expect(gainOf({ ...fp32, scheme: "kahan" })).toBeNull();
  });

  test("may be negative, and is none where fp32 gained nothing", () => {
    expect(gainOf(fp32, run("bf16", "in-place", 1e-5, 0, 0.25))).toEqual({ mean: -0.5, half: null });
    expect(gainOf(run("fp32", "in-place", 1e-5, 0, 0.5))).toBeNull();
    // A loss in fp32 has no shares either.
    expect(gainOf(run("fp32", "in-place", 1e-5, 0, 0.25))).toBeNull();
  });
});

describe("what a row tells besides", () => {
  const first = run("bf16", "kahan", 1e-5, 0, 0.75);
  const one = (changes: object): LearnRun => ({ ...first, ...changes });
  const passes = (name: string, pass: number) => ({
    name,
    base: { passAt: { "1": 0 } },
    outcome: { passAt: { "1": pass } },
  });
  const rowOf = (runs: LearnRun[]) => {
    const rows = summaryOf(result(runs));
    expect(rows).toHaveLength(1);
    return rows[0];
  };
  const half = (difference: number) => expect.closeTo((12.706 * difference) / 2, 9);

  test("the way of training and storing, pass@32, KL and what the scheme retained, over seeds", () => {
    const second = one({
      seed: 1,
      outcome: { ...first.outcome, passAt: { "1": 1, "32": 0.5 }, klForward: 0.75 },
      end: { ...first.end, retained: 1 },
    });
    const known = { ...first, outcome: { ...first.outcome, klForward: 0.25 } };
    expect(rowOf([known, second])).toMatchObject({
      ...{ run: "rlvr", format: "bf16", scheme: "kahan", rounding: "nearest-even", opmath: "fp32", lr: 1e-5 },
      seeds: 2,
      passAt1: { mean: 0.875, half: half(0.25) },
      passAt32: { mean: 0.75, half: half(0.5) },
      klForward: { mean: 0.5, half: half(0.5) },
      retained: { mean: 0.75, half: half(0.5) },
      geometry: null,
    });
    expect(rowOf([known, { ...second, outcome: first.outcome }]).klForward).toBeNull();
  });

  test("tasks that were not trained, each by its name", () => {
    const heldOut = (add: number, sort: number) => [passes("add", add), passes("sort", sort)];
    expect(
      rowOf([one({ heldOut: heldOut(0.5, 1) }), one({ seed: 1, heldOut: heldOut(0.25, 1) })]).heldOut,
    ).toEqual([
      { name: "add", passAt1: { mean: 0.375, half: half(0.25) } },
      { name: "sort", passAt1: { mean: 1, half: 0 } },
    ]);
  });

  test("measures of geometry and their ratios to what is expected, of all seeds or none", () => {
    const geometry = (measured: number, ratio: number | null) => {
      const measures = measureNames.map((name, i) => [name, { measured: measured + i, ratio }]);
      return { totals: { measures: Object.fromEntries(measures) } };
    };
    const told = rowOf([one({ geometry: geometry(1, 2) }), one({ seed: 1, geometry: geometry(2, 3) })]);
    expect(Object.keys(told.geometry!)).toEqual([...measureNames]);
    for (const [i, name] of measureNames.entries()) {
      expect(told.geometry![name]).toEqual({
        measured: { mean: 1.5 + i, half: half(1) },
        ratio: { mean: 2.5, half: half(1) },
      });
    }
    const some = rowOf([one({ geometry: geometry(1, null) }), one({ seed: 1, geometry: geometry(2, 3) })]);
    expect(some.geometry!.size).toEqual({ measured: { mean: 1.5, half: half(1) }, ratio: null });
    const without = rowOf([one({ geometry: geometry(1, 2) }), one({ seed: 1 })]);
    expect(without.geometry!.size).toEqual({ measured: null, ratio: null });
  });
});
