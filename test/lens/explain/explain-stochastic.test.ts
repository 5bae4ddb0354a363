import { describe, expect, it } from "vitest";
import { explain } from "../../../src/lens/explain/explain.js";
import { applyUpdate } from "../../../src/update/apply.js";
import type { UpdateOptions } from "../../../src/update/settings.js";
import { randomBits, stepKey, tensorKey } from "../../../src/update/threefry.js";

const stochastic = { format: "bf16", rounding: "stochastic" } as const;

const explained = (weight: number, update: number, options: Partial<UpdateOptions> = {}) =>
  explain(weight, update, { ...stochastic, ...options });

describe("stochastic rounding", () => {
  it.each([
    // The gap is 2^-13, and fp32 holds w + u to 2^-29: 537 of those.
    [0.02, 1e-6, 537 / 2 ** 16],
    [1, 2 ** -9, 0.25],
    [1, -(2 ** -10), 0.25],
    [-1, 2 ** -10, 0.25],
    [1, 2 ** -14, 2 ** -7],
    [1, -(2 ** -14), 2 ** -6],
    [1, 2 ** -7 + 2 ** -9, 1],
    [1, 1, 1],
    [1, 2 ** -30, 0, "e2m1fn"],
    [1, 0, 0],
  ])("%f and %f: moves with probability %f", (weight, update, chance, format = "bf16") => {
    const { step, schemes } = explained(weight, update, { format });
    expect(step.chances.moved).toBe(chance);
    expect(schemes[0].expectedStep).toBe(chance === 0 ? null : 1 / chance);
  });

  it("moves as far as the update on average, to 2^-32 of a gap", () => {
    expect(explained(1, 2 ** -9).step.displacement).toBe(2 ** -9);
    expect(explained(1, 5 * 2 ** -9).step.displacement).toBe(5 * 2 ** -9);
    // The gap is 1/2, and 2^-33 of that is what 32 bits leave out.
    const exactly = { format: "e2m1fn", opmath: "exact" } as const;
    expect(explained(1, 2 ** -10 + 2 ** -34, exactly).step.displacement).toBe(2 ** -10);
    expect(explained(1, 2 ** -10 + 2 ** -33, exactly).step.displacement).toBe(2 ** -10 + 2 ** -33);
  });

  it("may leave the finite numbers", () => {
    const { step } = explained(65504, 8, { format: "fp16" });
    expect(step.chances).toMatchObject({ lost: 0.75, moved: 0, nonfinite: 0.25 });
    expect(step.displacement).toBeNull();
  });

  it.each(["in-place", "master", "kahan", "two-term"] as const)(
    "%s: on average shows when walks do",
    (scheme) => {
      const options = { ...stochastic, format: "e4m3fn", scheme };
      const update = 0.011;
      const expected = explain(1, update, options).schemes.find((one) => one.scheme === scheme)!
        .expectedStep!;
      const key = tensorKey(0, scheme);
      const walks = 4000;
      let [sum, squares] = [0, 0];
      for (let walk = 0; walk < walks; walk++) {
        let state = { weight: 1, carrier: scheme === "master" ? 1 : 0 };
        let step = 0;
        while (state.weight === 1) {
          step += 1;
          let draws = 0;
          state = applyUpdate(state, update, {
            ...options,
            random: () => randomBits(stepKey(key, step), walk, draws++),
          });
        }
        sum += step;
        squares += step ** 2;
      }
      const mean = sum / walks;
      const standardError = Math.sqrt((squares / walks - mean ** 2) / walks);
      // One fixed seed: 3.3 standard errors would be met by chance once in a thousand seeds.
      expect(Math.abs(mean - expected)).toBeLessThan(3.3 * standardError);
      expect(mean).toBeGreaterThan(2);
    },
  );

  it("tells how probable it is to show where the mean is too far away", () => {
    const [, , kahan] = explained(1, 1e-9).schemes;
    expect(kahan).toMatchObject({ expectedStep: null, never: "not within the search" });
    // The compensation grows by 1e-9 a step on average, and shows with the probability carrier / gap at each.
    const byGrowth = 1 - Math.exp((-1e-9 * kahan.searched ** 2) / 2 / 2 ** -7);
    expect(Math.abs(kahan.chanceWithin! - byGrowth)).toBeLessThan(0.01);
  });
});
