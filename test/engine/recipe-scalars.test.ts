import { describe, expect, it } from "vitest";
import { RecipeScalars } from "../../src/engine/lane/recipe-scalars.js";
import { refusal } from "../../src/engine/lane/refusal.js";
import { recipeSettings, recipes } from "../../src/update/optimizer.js";
import { parseAssignment } from "../../src/update/recipe/expression.js";
import type { OptimizerName } from "../../src/update/recipe/recipe.js";

const { fround } = Math;
const settings = { lr: 0.3, betas: [0.9, 0.6] as const, eps: 1e-8, weightDecay: 0 };

describe("the scalars of a job by recipes", () => {
  const cases = ["torch-2.13-cpu-foreach", "master"].map((name) =>
    recipeSettings("adamw", name, { ...settings, format: "bf16" }),
  );
  const scalars = new RecipeScalars(cases);
  const [foreach, master] = scalars.cases;
  const numbers = scalars.of(settings, 3);
  const number = (words: typeof foreach.words, name: string) => numbers[words.numbers.get(name)!];
  const holds = (line: string) => numbers[foreach.words.condition(parseAssignment(line).condition!)!];

  it("are those of the step, in fp32", () => {
    expect(number(master.words, "s")).toBe(fround(-(0.3 / (1 - 0.9 ** 3))));
    expect(number(master.words, "root")).toBe(fround(Math.sqrt(1 - 0.6 ** 3)));
    // 0.6 in bf16, and in fp32.
    expect(number(foreach.words, "beta2")).toBe(0.6015625);
    expect(number(master.words, "beta2")).toBe(fround(0.6));
  });

  it("are one word where two recipes compute them alike, and only there", () => {
    const word = (words: typeof foreach.words, name: string) => words.numbers.get(name);
    expect(word(foreach.words, "s")).toBe(word(master.words, "s"));
    expect(word(master.words, "beta2")).toBe(word(foreach.intended.words, "beta2"));
    expect(word(master.words, "beta2")).toBe(word(scalars.run.words, "beta2"));
    expect(word(master.words, "beta2")).not.toBe(word(foreach.words, "beta2"));
  });

  it("tell of conditions whether they hold; of those on weights nothing", () => {
    expect(holds("wd != 0: p = R(p * decay)")).toBe(0);
    expect(holds("w < 0.5: m = R(fma(w, g - m, m))")).toBe(1);
    expect(holds("w >= 0.5: m = R(fma(rest, g - m, g))")).toBe(0);
    const ofWeights = parseAssignment("v < q: f = v").condition!;
    expect(foreach.words.condition(ofWeights)).toBeNull();
  });
});

describe("what no kernel can be written of", () => {
  it("is of the recipes that there are those of whole tensors, each by its name", () => {
    for (const optimizer of Object.keys(recipes) as OptimizerName[]) {
      for (const { name, whole } of recipes[optimizer].values()) {
        const reason = whole && `recipe ${name} takes ${whole.what}: it is counted by the reference engine`;
        expect(refusal([recipeSettings(optimizer, name, { ...settings, format: "fp16" })])).toBe(
          reason ?? null,
        );
      }
    }
  });

  const right = recipeSettings("sgd", "torch-2.13-cpu-for-loop", { ...settings, format: "bf16" });
  it.each([
    [
      "a power of each weight",
      { weight: ["p = p ^ 2"] },
      'recipe line "p = p ^ 2": no ^ of 2 for each weight',
    ],
    ["a call that there is not", { weight: ["p = cos(p)"] }, 'recipe line "p = cos(p)": no cos of 1'],
    ["a scalar that only fp64 holds", { weight: ["p = p * lr"] }, "its lines read lr, no fp32 number"],
    ["a condition on a sum", { weight: ["wd + lr < 1: p = g"] }, "a condition compares names and numbers"],
    [
      "scalars under a condition",
      { scalars: [...right.recipe.scalars, "wd != 0: mu = f32(b1)"] },
      "no conditions among scalars",
    ],
    ["a tail within a group", { tail: { block: 4, weight: ["p = g"] } }, "a tail of blocks of 4"],
  ])("%s", (_, wrong, reason) => {
    expect(refusal([{ ...right, recipe: { ...right.recipe, ...wrong } }])).toContain(reason);
  });
});
