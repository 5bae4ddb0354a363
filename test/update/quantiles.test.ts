import { describe, expect, it } from "vitest";
import { quantileDraw, quantileOf } from "../../src/update/quantiles.js";
import { randomBits, stepKey, tensorKey } from "../../src/update/threefry.js";

const key = stepKey(tensorKey(7, "w"), 1);

describe("a number drawn by quantiles", () => {
  it.each([0, 1, 2, 8, 14, 16])("is the table's entry at the %i leading bits of draw 4095", (k) => {
    const table = Float32Array.from({ length: 2 ** k }, (_, i) => i);
    for (const element of [0, 1, 2, 3, 99, 2 ** 33]) {
      const bits = randomBits(key, element, 4095);
      expect(quantileOf({ table, key }, element)).toBe(k === 0 ? 0 : bits >>> (32 - k));
    }
  });

  it("has a draw that no rounding of a step takes", () => expect(quantileDraw).toBe(4095));
});
