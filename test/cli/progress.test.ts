import { expect, test } from "vitest";
import { duration } from "../../src/cli/progress.js";

test.each([
  [0, "0 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [125, "2 min 05 s"],
  [3600, "1 h 00 min"],
  [7 * 3600 + 301, "7 h 05 min"],
  [Infinity, "–"],
  [NaN, "–"],
])("%d seconds are %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
