import { describe, expect, it, test } from "vitest";
import { decode } from "../../src/format/encode.js";
import { format } from "../../src/format/registry.js";
import { distanceBin, distanceBins, leastDistance, ulpDistance } from "../../src/lens/ulp-distance.js";

describe("the distance of two numbers", () => {
  test.each(["e4m3fn", "e5m2fnuz", "e2m1fn"])(
    "in %s is that of their places among all its numbers",
    (name) => {
      const narrow = format(name);
      const codes = Array.from({ length: 2 ** narrow.bits }, (_, code) => decode(code, narrow));
      const numbers = [...new Set(codes.filter(Number.isFinite).map((x) => x + 0))].sort((a, b) => a - b);
      for (const [i, a] of numbers.entries()) {
        for (const j of [0, i, (7 * i) % numbers.length, numbers.length - 1]) {
          expect(ulpDistance(a, numbers[j], narrow)).toBe(Math.abs(i - j));
        }
      }
    },
  );

  it.each([
    [1, 1, 0n],
    [-0, 0, 0n],
    [1, 1 + 2 ** -52, 1n],
    [1 + 2 ** -52, 1, 1n],
    [1, 1 - 2 ** -53, 1n],
    [-1, -1 - 2 ** -52, 1n],
    [-1, -1 + 2 ** -53, 1n],
    [0, 5e-324, 1n],
    [-0, -5e-324, 1n],
    [-5e-324, 5e-324, 2n],
    // A binade has 2^52 numbers.
    [1, 2, 2n ** 52n],
    [-1, 1, 2n * 1023n * 2n ** 52n],
    [-Number.MAX_VALUE, Number.MAX_VALUE, 2n * (2046n * 2n ** 52n + 2n ** 52n - 1n)],
  ])("of %f and %f in fp64 is %i", (a, b, distance) => {
    expect(ulpDistance(a, b, "fp64")).toBe(distance);
    expect(ulpDistance(b, a, "fp64")).toBe(distance);
    expect(ulpDistance(-a, -b, "fp64")).toBe(distance);
  });
});

describe("bins of distances", () => {
  it.each([
    [1, 0],
    [2, 1],
    [15, 14],
    [16, 15],
    [31, 15],
    [32, 16],
    [63, 16],
    [64, 17],
    [2 ** 31, 42],
  ])("%i is in bin %i", (distance, bin) => {
    expect(distanceBin(distance)).toBe(bin);
    expect(distanceBin(BigInt(distance))).toBe(bin);
  });

  it("begin with their least distance, one after the other up to 2^64 - 1", () => {
    for (let bin = 0; bin < distanceBins; bin++) {
      const least = leastDistance(bin);
      expect(distanceBin(least < 2 ** 53 ? least : BigInt(least))).toBe(bin);
      if (bin > 0) expect(distanceBin(BigInt(least) - 1n)).toBe(bin - 1);
    }
    expect(distanceBin(2n ** 64n - 1n)).toBe(distanceBins - 1);
  });
});
