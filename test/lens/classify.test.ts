import { describe, expect, it } from "vitest";
import { classify, classifyShared } from "../../src/lens/classify.js";

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

describe("where scales are shared", () => {
  it.each([
    ["a number that changed with its own code: moved", state(1), 0.5, state(1.5), true, "moved"],
    ["one that changed with its scale alone: collateral", state(1), 0.001, state(1.125), false, "collateral"],
    ["collateral comes before none", state(1), 0, state(1.125), false, "collateral"],
    ["an update of zero is none where the code changes", state(1), 0, state(1.125), true, "none"],
    ["the same number: lost", state(1), 1e-9, state(1), false, "lost"],
    ["even if its code would have moved under the old scale", state(1), 1e-9, state(1), true, "lost"],
    ["the same number with another carrier: kept", state(1), 1e-3, state(1, 1e-3), false, "kept"],
    ["the same number without an update: none", state(1), 0, state(1), false, "none"],
    ["+0 and -0 are the same number", state(-0), 1e-60, state(0), false, "lost"],
    ["a block whose scale became NaN", state(1), 0.5, state(Number.NaN), false, "nonfinite"],
    ["nonfinite comes before collateral", state(1), Number.NaN, state(1.125), false, "nonfinite"],
  ] as const)("%s", (_, before, update, after, codeMoves, expected) => {
    expect(classifyShared(before, update, after, codeMoves)).toBe(expected);
  });
});
