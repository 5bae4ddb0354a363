import { expect, test } from "vitest";
import { numeral } from "../../../src/lens/explain/numeral.js";

test.each([
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "Infinity"],
  [Number.NEGATIVE_INFINITY, "-Infinity"],
  [-0, "-0"],
  [0, 0],
  [-1.5, -1.5],
  [5e-324, 5e-324],
])("%f is %j, as JSON can hold it, and back", (x, expected) => {
  expect(numeral(x)).toBe(expected);
  expect(Number(JSON.parse(JSON.stringify(numeral(x))))).toBe(x);
});
