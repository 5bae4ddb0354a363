import { describe, expect, test } from "vitest";
import { labelledSizes } from "../../../src/report/charts/histogram-chart.js";

describe("the labels of sizes", () => {
  test.each([-1, 0])("have the boundary 2^%i among them, at equal distances", (exponent) => {
    for (const room of [0.1, 0.5, 1, 2, 4]) {
      const labelled = labelledSizes(-21, 3, room, { exponent });
      expect(labelled).toContain(exponent);
      const steps = labelled.slice(1).map((bin, i) => bin - labelled[i]);
      expect(new Set(steps).size).toBeLessThanOrEqual(1);
      // Three times their size is room for "2" and an exponent of three characters.
      for (const step of steps) expect(step * room).toBeGreaterThanOrEqual(3);
    }
  });

  test("are as many as there is room for", () => {
    expect(labelledSizes(-4, 2, 3, { exponent: -1 })).toEqual([-4, -3, -2, -1, 0, 1, 2]);
    expect(labelledSizes(-6, 3, 2, { exponent: -1 })).toEqual([-5, -3, -1, 1, 3]);
  });
});
