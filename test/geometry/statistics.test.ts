import { expect, test } from "vitest";
import { gaussianTail } from "../../src/geometry/statistics.js";

test("the tail of a Gaussian, as half of the C library's erfc(x / sqrt 2)", () => {
  const known: readonly (readonly [number, number])[] = [
    [0, 0.5],
    [1, 0.15865525393145707],
    [2.999, 0.0013543365337271066],
    [3, 0.0013498980316300957],
    [10, 7.619853024160593e-24],
    [37, 5.725571222525139e-300],
  ];
  for (const [x, tail] of known) expect(gaussianTail(x) / tail).toBeCloseTo(1, 8);
});

test("it never is NaN: far out it is 0", () => {
  for (let x = 0; x < 60; x += 0.01) expect(gaussianTail(x)).toBeGreaterThanOrEqual(0);
  expect(gaussianTail(37.7)).toBe(0);
  expect(gaussianTail(Number.POSITIVE_INFINITY)).toBe(0);
});
