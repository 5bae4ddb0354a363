import { describe, expect, it } from "vitest";
import { outcomesOf, probability, sumOf } from "../../../src/lens/explain/outcomes.js";
import type { WeightState } from "../../../src/update/scheme.js";
import { type UpdateOptions, updateSettings } from "../../../src/update/settings.js";

/** Every outcome with its chance as a fraction of 2^(32 draws), by weight and then by carrier. */
function outcomes(state: WeightState, update: number, options: Partial<UpdateOptions> = {}) {
  const settings = updateSettings({ format: "bf16", rounding: "stochastic", ...options });
  return outcomesOf(state, update, settings).sort(
    (a, b) => a.state.weight - b.state.weight || a.state.carrier - b.state.carrier,
  );
}

describe("the outcomes of a step", () => {
  it("are one, without a draw, where rounding is not drawn", () => {
    expect(outcomes({ weight: 1, carrier: 0 }, 2 ** -7, { rounding: "nearest-even" })).toEqual([
      { state: { weight: 1 + 2 ** -7, carrier: 0 }, numerator: 1n, draws: 0 },
    ]);
  });

  it("and where the sum is a number of the format", () => {
    expect(outcomes({ weight: 1, carrier: 0 }, 2 ** -7)).toEqual([
      { state: { weight: 1 + 2 ** -7, carrier: 0 }, numerator: 1n, draws: 0 },
    ]);
  });

  it.each([
    // A quarter of the gap above 1, and half of the one below.
    [1, 2 ** -9, [1, 1 + 2 ** -7], [3n << 30n, 1n << 30n]],
    [1, -(2 ** -9), [1 - 2 ** -8, 1], [1n << 31n, 1n << 31n]],
    [-1, -(2 ** -9), [-1 - 2 ** -7, -1], [1n << 30n, 3n << 30n]],
    [-1, 2 ** -9, [-1, -1 + 2 ** -8], [1n << 31n, 1n << 31n]],
    // The least share of a gap that fp32 tells of: 2^-23 of 2^-7.
    [1, 2 ** -23, [1, 1 + 2 ** -7], [2n ** 32n - 2n ** 16n, 2n ** 16n]],
  ])("of %f and %f are the two neighbours, by how near they are", (weight, update, weights, numerators) => {
    const found = outcomes({ weight, carrier: 0 }, update);
    expect(found.map(({ state }) => state)).toEqual(weights.map((w) => ({ weight: w, carrier: 0 })));
    expect(found.map(({ numerator }) => numerator)).toEqual(numerators);
    expect(found.map(({ draws }) => draws)).toEqual([1, 1]);
  });

  it("tell of no share below 2^-32 of a gap, which no draw can meet", () => {
    // The gap of e2m1fn at 1 is 1/2: 2^-34 is 2^-33 of it, 2^-33 is 2^-32.
    const exactly = { format: "e2m1fn", opmath: "exact" } as const;
    expect(outcomes({ weight: 1, carrier: 0 }, 2 ** -34, exactly)).toEqual([
      { state: { weight: 1, carrier: 0 }, numerator: 1n, draws: 0 },
    ]);
    expect(outcomes({ weight: 1, carrier: 0 }, 2 ** -33, exactly).map(({ numerator }) => numerator)).toEqual([
      2n ** 32n - 1n,
      1n,
    ]);
    // 1.5 gaps and a part that is too small to be drawn: the share of the larger neighbour is a half.
    expect(
      outcomes({ weight: 1, carrier: 0 }, 0.75 + 2 ** -36, exactly).map(({ numerator }) => numerator),
    ).toEqual([2n ** 31n, 2n ** 31n]);
  });

  it("follow every path through the roundings of a scheme, and add up to 1", () => {
    for (const scheme of ["in-place", "master", "kahan", "two-term"] as const) {
      const carrier = scheme === "master" ? 1 : 2 ** -12;
      const found = outcomes({ weight: 1, carrier }, 2 ** -10 + 2 ** -20, { scheme });
      const all = sumOf(found);
      expect(all.numerator).toBe(2n ** BigInt(32 * all.draws));
    }
  });

  it("of two roundings have the product of their chances", () => {
    // Kahan in e4m3fn from 1: 0.0137 is stored between two numbers first, then the sum between two others.
    const found = outcomes({ weight: 1, carrier: 0 }, 0.0137, { scheme: "kahan", format: "e4m3fn" });
    expect(found.length).toBeGreaterThan(2);
    const twice = found.filter(({ draws }) => draws > 1);
    expect(twice.length).toBeGreaterThan(0);
    const mean = found.reduce((sum, one) => sum + one.state.weight * probability(one), 0);
    const chance = found.reduce((sum, one) => sum + probability(one), 0);
    expect(chance).toBeCloseTo(1, 15);
    // Drawn roundings leave the mean alone, but for the 2^-32 of a gap that draws cannot tell.
    expect(mean).toBeCloseTo(1 + Math.fround(0.0137), 9);
  });
});

describe("chances", () => {
  it("are numerators over 2^32 for each draw", () => {
    expect(probability({ numerator: 1n, draws: 0 })).toBe(1);
    expect(probability({ numerator: 3n << 30n, draws: 1 })).toBe(0.75);
    expect(probability({ numerator: 1n, draws: 2 })).toBe(2 ** -64);
  });

  it("of different draws add up exactly", () => {
    expect(sumOf([])).toEqual({ numerator: 0n, draws: 0 });
    expect(sumOf([{ numerator: 5n, draws: 1 }])).toEqual({ numerator: 5n, draws: 1 });
    expect(
      sumOf([
        { numerator: 1n, draws: 1 },
        { numerator: 7n, draws: 3 },
        { numerator: 1n, draws: 0 },
      ]),
    ).toEqual({ numerator: 2n ** 96n + 2n ** 64n + 7n, draws: 3 });
  });
});
