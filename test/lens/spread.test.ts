import { expect, test } from "vitest";
import { joinedSpread, spread } from "../../src/lens/spread.js";

test.each([
  [[3], 3],
  [[3, 3], 3],
  [[3, -1, 2], { least: -1, most: 3 }],
  [[-2, -5], { least: -5, most: -2 }],
])("%j lie between %j", (numbers, expected) => {
  expect(spread(numbers)).toEqual(expected);
});

test("spreads are joined with numbers and each other", () => {
  expect(joinedSpread([2, 2])).toBe(2);
  expect(joinedSpread([2, { least: 1, most: 3 }, { least: -4, most: 2 }])).toEqual({ least: -4, most: 3 });
});
