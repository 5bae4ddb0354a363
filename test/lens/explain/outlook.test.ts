import { describe, expect, it } from "vitest";
import { outlook } from "../../../src/lens/explain/outlook.js";
import { type UpdateOptions, updateSettings } from "../../../src/update/settings.js";

const of = (stored: number, update: number, options: Partial<UpdateOptions> = {}) =>
  outlook(stored, update, updateSettings({ format: "bf16", ...options }));

const unknown = {
  firstVisibleStep: null,
  expectedStep: null,
  chanceWithin: null,
  weight: null,
  carrier: null,
};

describe("when a repeated update first shows", () => {
  it("in-place: at the first step or never", () => {
    expect(of(1, 2 ** -7)).toEqual({
      ...unknown,
      ...{ scheme: "in-place", firstVisibleStep: 1, weight: 1 + 2 ** -7, never: null, searched: 1 },
    });
    // A tie, to the even 1.
    expect(of(1, 2 ** -8)).toEqual({ ...unknown, scheme: "in-place", never: "stuck", searched: 1 });
    expect(of(1, 0)).toEqual({ ...unknown, scheme: "in-place", never: "stuck", searched: 1 });
  });

  it("with a carrier: when that is past the middle", () => {
    // Three eighths of half the gap: past it at the third step.
    const update = 3 * 2 ** -11;
    expect(of(1, update, { scheme: "master" })).toEqual({
      ...unknown,
      ...{ scheme: "master", firstVisibleStep: 3, weight: 1 + 2 ** -7, carrier: 1 + 3 * update },
      ...{ never: null, searched: 3 },
    });
    expect(of(1, update, { scheme: "kahan" })).toMatchObject({
      ...{ firstVisibleStep: 3, weight: 1 + 2 ** -7, carrier: 3 * update - 2 ** -7, searched: 3 },
    });
  });

  it("never, once the carrier no longer moves either", () => {
    // fp32 has 2^-23 above 1: half of that is a tie to the even 1.
    expect(of(1, 2 ** -24, { scheme: "master" })).toEqual({
      ...unknown,
      ...{ scheme: "master", never: "stuck", searched: 1 },
    });
  });

  it.each([
    ["a weight of NaN", Number.NaN, 1, 0],
    ["an infinite weight", Infinity, 1, 0],
    ["an infinite update", 1, -Infinity, 0],
    ["a sum beyond the largest number", 3e38, 3e38, 1],
  ])("%s is nonfinite", (_, stored, update, searched) => {
    expect(of(stored, update)).toEqual({ ...unknown, scheme: "in-place", never: "nonfinite", searched });
  });

  it("a master beyond the last number is saturated without a search; an update of zero is stuck", () => {
    const master = { format: "fp16", overflow: "saturate", scheme: "master" } as const;
    const saturated = { ...unknown, scheme: "master", never: "saturated", searched: 0 };
    expect(of(65504, 2 ** -10, master)).toEqual(saturated);
    expect(of(-65504, -(2 ** -10), master)).toEqual(saturated);
    expect(of(65504, 0, master)).toMatchObject({ never: "stuck", searched: 1 });
    expect(of(65504, 1, { ...master, scheme: "in-place" })).toMatchObject({ never: "stuck", searched: 1 });
    // Inward there is an end, so steps are taken: a quarter of the 2^-8 that fp32 has there moves nothing.
    expect(of(65504, -(2 ** -10), master)).toMatchObject({ never: "stuck", searched: 1 });
  });
});

describe("under stochastic rounding", () => {
  const drawn = { rounding: "stochastic" } as const;

  it("in-place: one step is like the other, so on average 1 / chance", () => {
    expect(of(1, 2 ** -9, drawn)).toEqual({
      ...unknown,
      ...{ scheme: "in-place", expectedStep: 4, chanceWithin: 0.25, never: null, searched: 1 },
    });
    expect(of(1, 0, drawn)).toEqual({ ...unknown, scheme: "in-place", never: "stuck", searched: 1 });
    // At least a gap away: certain in the first step.
    expect(of(1, 2 ** -7, drawn)).toMatchObject({ expectedStep: 1, chanceWithin: 1, never: null });
  });

  it("master: chances to have stayed are multiplied from step to step", () => {
    // After k steps the master lies k eighths of the gap above, and shows with that chance: stays 7/8, then 6/8, ...
    let [stays, expected] = [1, 0];
    for (let k = 1; k <= 8; k++) {
      expected += stays;
      stays *= 1 - k / 8;
    }
    const found = of(1, 2 ** -10, { ...drawn, scheme: "master" });
    expect(found).toMatchObject({ chanceWithin: 1, never: null, searched: 8, firstVisibleStep: null });
    expect(found.expectedStep).toBeCloseTo(expected, 12);
  });

  it("master: one that fp32 no longer moves is stuck, or shows by its draws alone", () => {
    expect(of(1, 2 ** -25, { ...drawn, scheme: "master" })).toMatchObject({ never: "stuck", searched: 1 });
  });
});
