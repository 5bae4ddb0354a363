import { describe, expect, it } from "vitest";
import { format } from "../../src/format/registry.js";
import { type Distribution, drawFrom, gaussian, student4, weibull } from "../../src/update/distribution.js";
import { randomBits, threefry2x32, type Words } from "../../src/update/threefry.js";
import { drawnWeight, type WeightDraws, weightKey } from "../../src/update/weight-draws.js";
import { expectedRound } from "../support/oracle.js";
import { bf16, e4m3fn, fp16, fp32 } from "../support/oracle-formats.js";

const { fround, sqrt } = Math;

function drawsOf(changes: Partial<WeightDraws> = {}): WeightDraws {
  const key = weightKey(7, "w");
  return { distribution: gaussian, mean: 0, sigma: 0.02, format: format("bf16"), key, ...changes };
}

const weightsOf = (draws: WeightDraws, length: number) =>
  Array.from({ length }, (_, i) => drawnWeight(draws, i));

describe("drawnWeight", () => {
  it.each([bf16, fp16, e4m3fn, fp32])("is mean + sigma z in fp32, rounded once to $name", (storageFormat) => {
    for (const [mean, sigma] of [
      [0, 0.02],
      [1, 0.1],
      [-0.3, 2],
    ]) {
      const draws = drawsOf({ format: format(storageFormat.name), mean, sigma });
      for (const element of [0, 1, 2, 3, 12345, 2 ** 33, 2 ** 33 + 1, ...Array(500).keys()]) {
        const z = drawFrom(gaussian, randomBits(draws.key, element, 0));
        const weight = fround(fround(fround(sigma) * z) + fround(mean));
        expect(drawnWeight(draws, element)).toBe(
          expectedRound(weight, storageFormat, "nearest-even", "ieee"),
        );
      }
    }
  });

  it.each([
    [gaussian, 3],
    [weibull(1.13), 4],
    // Of a table that ends: the fourth moment of Student's t itself is infinite.
    [student4, 20],
  ])(
    "has the mean and the sigma of $0.name within four standard errors",
    (distribution: Distribution, fourth) => {
      const n = 2 ** 16;
      const [mean, sigma] = [0.25, 0.02];
      const weights = weightsOf(drawsOf({ distribution, mean, sigma, format: format("fp32") }), n);
      const found = weights.reduce((sum, w) => sum + w / n, 0);
      expect(Math.abs(found - mean)).toBeLessThan((4 * sigma) / sqrt(n));
      const variance = weights.reduce((sum, w) => sum + (w - mean) ** 2 / n, 0);
      expect(Math.abs(variance / sigma ** 2 - 1)).toBeLessThan(4 * sqrt((fourth - 1) / n));
    },
  );

  it("draws neighbours, names and seeds that have nothing to do with each other", () => {
    const n = 2 ** 15;
    const weights = weightsOf(drawsOf(), n + 2);
    const others = [
      weights.slice(1),
      weights.slice(2),
      weightsOf(drawsOf({ key: weightKey(8, "w") }), n),
      weightsOf(drawsOf({ key: weightKey(7, "v") }), n),
    ];
    for (const other of others) {
      let correlation = 0;
      for (let i = 0; i < n; i++) correlation += (weights[i] * other[i]) / 0.02 ** 2 / n;
      expect(Math.abs(correlation)).toBeLessThan(4 / sqrt(n));
    }
  });
});

describe("weightKey", () => {
  it("is the key of the tensor with the step that no run has", () => {
    const fold = (key: Words, data: number, domain: number) => threefry2x32(key, [data, domain]);
    // 119 is "w".
    expect(weightKey(7, "w")).toEqual(fold(fold([7, 0], 119, 1), 0xffffffff, 2));
  });
});
