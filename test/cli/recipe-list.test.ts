import { describe, expect, test } from "vitest";
import type { RecipeList } from "../../src/lens/run/recipe-list.js";
import { recipes } from "../../src/update/optimizer.js";
import { expectUsageError, output } from "../support/cli.js";
import { expectValid } from "../support/schemas.js";

async function list(...words: string[]): Promise<RecipeList> {
  const found = JSON.parse(await output("recipes", ...words, "--json", "-"));
  expectValid("recipes", found);
  return found;
}

describe("recipes", () => {
  test("--json - lists all, with source, releases and what each was compared with", async () => {
    const found = await list();
    const all = Object.entries(recipes).flatMap(([optimizer, recipesByName]) =>
      [...recipesByName.keys()].map((name) => `${optimizer} ${name}`),
    );
    expect(found.recipes.map(({ optimizer, name }) => `${optimizer} ${name}`)).toEqual(all);
    expect(found.notImitated).toMatchObject([{ optimizer: "sgd", name: "torch-2.13-cpu-fused" }]);
    const by = (name: string) => found.recipes.find((recipe) => recipe.name === name)!;
    expect(by("muon")).toMatchObject({ verified: null, engines: "reference" });
    expect(by("torch-1.13-cpu").verified).toEqual({
      by: "bit for bit with torch 1.13.1 on a CPU, ten steps",
      formats: ["bf16"],
    });
    expect(by("fp32").remark).toContain("square root differs by machine");
  });

  test("words choose: those asked for by others are there", async () => {
    const names = async (...words: string[]) => (await list(...words)).recipes.map(({ name }) => name);
    expect(await names("muon")).toEqual([...recipes.muon.keys()]);
    expect(await names("adam", "cuda", "fused")).toEqual(["torch-2.13-cuda-fused"]);
    expect(await names("8bit")).toEqual(["bnb-adamw8bit"]);
    expect(await names("AnyPrecision", "cuda")).toEqual(["anyprecision", "anyprecision-defaults"]);
    await expectUsageError(["recipes", "shampoo"], /no recipe has the words shampoo/);
  });

  test("in words, in 80 columns, with a star where nothing was compared", async () => {
    const text = await output("recipes");
    expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
    for (const optimizer of Object.keys(recipes)) expect(text).toContain(`--optimizer ${optimizer}\n`);
    expect(text).toMatch(/\n {2}kahan\*\n {4}optimi\.AdamW/);
    expect(text).toMatch(/\n {2}torch-2\.13-cpu-fused: not imitated\n/);
    expect(text).toMatch(/\n {2}torch-1\.13-cpu\n(.*\n)+? {4}bit for bit with torch 1\.13\.1/);
    expect(text).toMatch(/\* Written from the source named.*\n$/);
  });
});

test("vectors of a recipe that takes blocks or draws are refused, with the reason", async () => {
  const asked = (name: string) => ["vectors", "--operation", "adamw", "--recipe", name];
  await expectUsageError(asked("bnb-adamw8bit"), /takes blocks of 256: vectors are of one weight/);
  await expectUsageError(
    asked("heavyball-stochastic"),
    /rounds stochastically: vectors are for the other ones/,
  );
});

describe("simulate --recipe", () => {
  const few = ["simulate", "--preset", "rlvr", "--steps", "2", "--json", "-"];

  test("finds the optimizer by the recipe, and gives one of whole matrices a matrix", async () => {
    const { input, cases, settings } = JSON.parse(await output(...few, "--quiet", "--recipe", "muon,fp32"));
    expect(input.elements).toBe(64 * 64);
    expect(settings.optimizer).toMatchObject({ name: "muon", betas: [0.95, 0.999] });
    expect(cases[0]).toMatchObject({ recipe: { name: "muon", verified: null } });
    expect(cases[0].moments.map(({ name }: { name: string }) => name)).toEqual(["m"]);
    expect(cases[1].end.retained).toBeCloseTo(1, 6);
  });

  test("a sample of a matrix is none", async () => {
    const model = ["--model", "qwen2.5-0.5b", "--elements", "1000"];
    await expectUsageError([...few, "--recipe", "muon", ...model], /takes no sample of them/);
    await expectUsageError([...few, "--recipe", "muon", "--elements", "100"], /Muon steps matrices/);
  });
});
