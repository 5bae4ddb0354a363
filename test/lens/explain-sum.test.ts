import { describe, expect, it } from "vitest";
import { explain, searchLimit } from "../../src/lens/explain.js";
import { type UpdateOptions, updateSettings } from "../../src/update/settings.js";

const explained = (weight: number, update: number, options: Partial<UpdateOptions> = {}) =>
  explain(weight, update, updateSettings({ format: "bf16", ...options }));

describe("where the sum falls", () => {
  it("between two numbers: which, and how far", () => {
    // The gap above 1 is 2^-7.
    expect(explained(1, 2 ** -9).sum).toEqual({
      value: 1 + 2 ** -9,
      below: 1,
      above: 1 + 2 ** -7,
      position: 0.25,
      tie: false,
      rounded: 1,
    });
    expect(explained(-1, 2 ** -10).sum).toEqual({
      value: -1 + 2 ** -10,
      below: -1,
      above: -1 + 2 ** -8,
      position: 0.25,
      tie: false,
      rounded: -1,
    });
  });

  it("on a number: that number on both sides", () => {
    const sum = { value: 2, below: 2, above: 2, position: 0, tie: false, rounded: 2 };
    expect(explained(1, 1).sum).toEqual(sum);
    expect(explained(1, 1, { opmath: "exact" }).sum).toEqual(sum);
  });

  it("as fp32 has it, or exactly", () => {
    const u = -(2 ** -30);
    expect(explained(1, u).sum).toMatchObject({ value: 1, below: 1, above: 1, position: 0 });
    const exact = explained(1, u, { opmath: "exact" }).sum;
    expect(exact).toMatchObject({
      value: 1 - 2 ** -30,
      below: 1 - 2 ** -8,
      above: 1,
      position: 1 - 2 ** -22,
    });
  });

  it("exactly, though fp64 drops the update: beside the number that it seems to be", () => {
    const up = explained(1, 2 ** -60, { opmath: "exact", rounding: "toward-positive" }).sum;
    expect(up).toEqual({
      value: 1,
      below: 1,
      above: 1 + 2 ** -7,
      position: 2 ** -53,
      tie: false,
      rounded: 1 + 2 ** -7,
    });
    const down = explained(1, -(2 ** -60), { opmath: "exact" }).sum;
    expect(down).toMatchObject({ value: 1, below: 1 - 2 ** -8, above: 1, position: 1 - 2 ** -52 });
    const inFp32 = explained(1, 2 ** -60, { rounding: "toward-positive" }).sum;
    expect(inFp32).toMatchObject({ value: 1, below: 1, above: 1, position: 0, rounded: 1 });
  });

  it("beyond the largest finite number", () => {
    expect(explained(65504, 1e4, { format: "fp16" }).sum).toEqual({
      value: 75504,
      below: 65504,
      above: null,
      position: 0,
      tie: false,
      rounded: null,
    });
  });
});

describe("the weight and the update", () => {
  it("beyond the neighbours there is no gap", () => {
    const top = explained(-65504, -1, { format: "fp16" });
    expect(top.weight).toMatchObject({ below: null, gapBelow: null, above: -65472, gapAbove: 32 });
    expect(top.update).toMatchObject({ halfGap: null, shareOfHalfGap: null });
    expect(explained(-65504, 1, { format: "fp16" }).update).toMatchObject({
      halfGap: 16,
      shareOfHalfGap: 1 / 16,
    });
  });

  it("the half gap is on the side that the update points to", () => {
    expect(explained(1, 2 ** -10).update).toEqual({
      given: 2 ** -10,
      fp32: 2 ** -10,
      halfGap: 2 ** -8,
      shareOfHalfGap: 0.25,
    });
    expect(explained(1, -(2 ** -10)).update).toMatchObject({ halfGap: 2 ** -9, shareOfHalfGap: 0.5 });
    expect(explained(1, 0.1).update).toMatchObject({ given: 0.1, fp32: Math.fround(0.1) });
  });

  it("names what it was asked", () => {
    expect(explained(1, 1, { rounding: "to-odd", opmath: "exact" })).toMatchObject({
      schema: "precision-lens-explanation/1",
      format: "bf16",
      rounding: "to-odd",
      opmath: "exact",
    });
    expect(explained(1, 1, { rounding: "stochastic" }).rounding).toBe("stochastic");
  });

  it("refuses what fp32 cannot hold", () => {
    expect(() => explained(1, 1e39)).toThrow("update 1e+39 is Infinity in fp32: expected a finite number");
    expect(() => explained(Number.NaN, 1)).toThrow("weight NaN is NaN in bf16: expected a finite number");
  });
});

describe("the outlook of each scheme", () => {
  it("how it ended, and after how many steps", () => {
    // 2^-10 is a quarter of the half gap above 1, which is a tie at the fourth step and passed at the fifth.
    expect(explained(1, 2 ** -10).schemes).toEqual([
      { scheme: "in-place", firstVisibleStep: null, never: "stuck", searched: 1 },
      { scheme: "master", firstVisibleStep: 5, never: null, searched: 5 },
      { scheme: "kahan", firstVisibleStep: 5, never: null, searched: 5 },
      { scheme: "two-term", firstVisibleStep: 5, never: null, searched: 5 },
    ]);
    expect(explained(65504, 100, { format: "fp16" }).schemes[0]).toEqual({
      scheme: "in-place",
      firstVisibleStep: null,
      never: "overflow",
      searched: 1,
    });
  });

  it("starts from the stored weight: no carrier holds what the cast dropped", () => {
    const [, master] = explained(1 + 2 ** -9, 2 ** -10).schemes;
    expect(master.firstVisibleStep).toBe(5);
  });

  it("under stochastic rounding is judged by nearest-even", () => {
    expect(explained(1, 2 ** -10, { rounding: "stochastic" }).schemes).toEqual(
      explained(1, 2 ** -10).schemes,
    );
  });

  it("ends its search within a second or so", () => {
    expect(searchLimit).toBe(10_000_000);
  });
});

describe("the chance of stochastic rounding", () => {
  it.each([
    [1, 2 ** -14, 2 ** -7],
    [1, -(2 ** -14), 2 ** -6],
    [-1, -(2 ** -14), 2 ** -7],
    [1, 2 ** -7 + 2 ** -9, 1],
    [1, -(2 ** -8) - 2 ** -10, 1],
    [1, 0, 0],
  ])("%f and %f: %f", (weight, update, chance) => {
    expect(explained(weight, update).stochasticChance).toBe(chance);
  });
});
