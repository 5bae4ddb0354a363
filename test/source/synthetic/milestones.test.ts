import { describe, expect, it } from "vitest";
import { milestonesOf } from "../../../src/source/synthetic/milestones.js";

describe("milestonesOf", () => {
  it("are all steps of a short run", () => {
    expect(milestonesOf(0)).toEqual([]);
    expect(milestonesOf(1)).toEqual([0]);
    expect(milestonesOf(5)).toEqual([0, 1, 2, 3, 4]);
    expect(milestonesOf(48)).toEqual([...Array(48).keys()]);
  });

  it.each([49, 50, 100, 299, 300, 1000, 5375, 10_000, 1_000_000])(
    "of %s steps are some, evenly by their logarithms",
    (steps) => {
      const indices = milestonesOf(steps);
      expect(indices.length).toBeGreaterThan(20);
      expect(indices.length).toBeLessThanOrEqual(48);
      expect([indices[0], indices.at(-1)]).toEqual([0, steps - 1]);
      for (const [i, index] of indices.entries()) {
        expect(Number.isInteger(index)).toBe(true);
        if (i > 0) expect(index).toBeGreaterThan(indices[i - 1]);
      }
      // No two further apart than one of 47 equal ratios, beside the rounding to whole steps.
      const ratio = Math.exp(Math.log(steps) / 47);
      for (const [i, index] of indices.entries()) {
        if (i > 0)
          expect(index + 0.5).toBeLessThanOrEqual(
            Math.max(indices[i - 1] + 2, (indices[i - 1] + 1.5) * ratio),
          );
      }
    },
  );
});
