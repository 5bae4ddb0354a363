import { describe, expect, test } from "vitest";
import { adamw, lion, recipeSettings, sgd } from "../../src/update/optimizer.js";

const fine = { recipe: "fp32", lr: 1e-3 };

/** As torch 2.13's constructors do. */
describe("settings that an optimizer refuses", () => {
  test.each([
    { lr: -1e-9 },
    { lr: Number.NaN },
    { lr: Number.POSITIVE_INFINITY },
    { eps: -1e-300 },
    { eps: Number.NaN },
    { weightDecay: -0.1 },
    { weightDecay: Number.NaN },
    { betas: [1, 0.9] as const },
    { betas: [0.9, 1] as const },
    { betas: [-0.1, 0.9] as const },
    { betas: [0.9, Number.NaN] as const },
  ])("AdamW and Lion: %j", (settings) => {
    for (const make of [adamw, lion]) expect(() => make({ ...fine, ...settings })).toThrow(RangeError);
    expect(() => recipeSettings("adamw", "fp32", { lr: 1, format: "bf16", ...settings })).toThrow(
      /^expected /,
    );
  });

  test("SGD: a momentum below zero; not one above 1, nor any second beta", () => {
    expect(() => sgd({ ...fine, betas: [-1, 0] })).toThrow("a momentum (the first beta) of at least 0");
    expect(() => sgd({ ...fine, betas: [2, 9] })).not.toThrow();
  });

  test("the ends that torch takes are taken", () => {
    expect(() => adamw({ recipe: "fp32", lr: 0, betas: [0, 0], eps: 0, weightDecay: 0 })).not.toThrow();
  });
});

test("an optimizer without a recipe, and betas that are one number, are refused in a sentence", () => {
  const call = adamw as (options?: unknown) => unknown;
  expect(() => call()).toThrow(
    new TypeError("options: expected an object with the name of a recipe, found undefined"),
  );
  expect(() => call({})).toThrow(
    /^options: expected an object with the name of a recipe, found one with nothing$/,
  );
  expect(() => call({ lr: 1 })).toThrow(/ found one with lr$/);
  expect(() => call({ ...fine, betas: 0.9 })).toThrow("expected betas, an array of two numbers, found 0.9");
});
