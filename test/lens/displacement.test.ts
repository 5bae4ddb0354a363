import { expect, test } from "vitest";
import { displacement } from "../../src/lens/displacement.js";

const largest = 3.4028234663852886e38;

test("is after - before in fp32, rounded once", () => {
  expect(displacement(1.5, 1)).toBe(0.5);
  expect(displacement(1, 1.5)).toBe(-0.5);
  // 1 + 2^-24 is a tie in fp32, to the even 1.
  expect(displacement(1, -(2 ** -24))).toBe(1);
  expect(displacement(1, -(2 ** -24 + 2 ** -40))).toBe(1 + 2 ** -23);
});

test("ends at the largest fp32 number, so that no sum of products is infinite", () => {
  expect(displacement(largest, -largest)).toBe(largest);
  expect(displacement(-largest, largest)).toBe(-largest);
  expect(displacement(largest, 0)).toBe(largest);
});
