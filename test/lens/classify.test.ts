import { expect, it } from "vitest";
import { classify } from "../../src/lens/classify.js";

const state = (weight: number, carrier = 0) => ({ weight, carrier });

it.each([
  ["an update of zero is none", state(1), 0, state(1), "none"],
  ["so is one of -0", state(1), -0, state(1), "none"],
  ["even where the scheme moved the weight", state(1, 0.01), 0, state(1.0078125), "none"],
  ["other stored bits: moved", state(1), 0.01, state(1.0078125), "moved"],
  ["whatever the carrier did", state(1), 0.01, state(1.0078125, 0.002), "moved"],
  ["only the carrier: kept", state(1), 0.001, state(1, 0.001), "kept"],
  ["neither: lost", state(1), 1e-30, state(1), "lost"],
  ["+0 and -0 are the same stored number", state(-0), 1e-60, state(0), "lost"],
  ["and the same carrier", state(1, -0), 1e-60, state(1, 0), "lost"],
  ["a weight of NaN", state(Number.NaN), 1, state(Number.NaN), "nonfinite"],
  ["an update of Inf, also where the result saturates", state(1), Infinity, state(448), "nonfinite"],
  ["an update of NaN is not none", state(1), Number.NaN, state(1), "nonfinite"],
  ["a result of Inf", state(3e38), 3e38, state(Infinity), "nonfinite"],
  ["a carrier of Inf", state(1), 1, state(1, Infinity), "nonfinite"],
  ["nonfinite comes before none", state(Infinity), 0, state(Infinity), "nonfinite"],
] as const)("%s", (_, before, update, after, expected) => {
  expect(classify(before, update, after)).toBe(expected);
});
