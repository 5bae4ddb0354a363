import { describe, expect, it } from "vitest";
import { recipeList } from "../../../src/lens/run/recipe-list.js";
import { optimizerNames, recipes } from "../../../src/update/optimizer.js";

const named = (...words: string[]) =>
  recipeList(words, "1.2.3").recipes.map(({ optimizer, name }) => `${optimizer} ${name}`);
const notImitated = (...words: string[]) => recipeList(words, "1.2.3").notImitated.map(({ name }) => name);

describe("the list of recipes", () => {
  it("has them all, optimizer by optimizer, and says by which release of the tool", () => {
    const { recipes: listed, ...rest } = recipeList([], "1.2.3");
    expect(listed.map(({ optimizer, name }) => [optimizer, name])).toEqual(
      optimizerNames.flatMap((optimizer) => [...recipes[optimizer].keys()].map((name) => [optimizer, name])),
    );
    expect(rest).toEqual({
      schema: "precision-lens-recipes/1",
      tool: { name: "precision-lens", version: "1.2.3" },
      notImitated: [
        {
          optimizer: "sgd",
          name: "torch-2.13-cpu-fused",
          reason: expect.stringMatching(/^torch\.optim\.SGD\(fused=True\) on the CPU has a bug .*here$/),
        },
      ],
    });
  });

  it("tells of each what it stands for, where it was read and what it was compared with", () => {
    const of = (optimizer: string, name: string) =>
      recipeList([], "").recipes.find((listed) => listed.optimizer === optimizer && listed.name === name);
    expect(of("adamw", "torchao-stochastic")).toEqual({
      optimizer: "adamw",
      name: "torchao-stochastic",
      of: "torchao.optim._AdamW(bf16_stochastic_round=True), its eager sequence",
      source: "pytorch/ao torchao/optim/adam.py",
      releases: "0.19.0 (read)",
      verified: null,
      scheme: "in-place",
      rounding: "stochastic",
      moments: ["m", "v"],
      engines: "all",
      remark: null,
    });
    expect(of("adamw", "master")).toMatchObject({
      // By definition, so in every format.
      verified: { by: "by definition", formats: "all" },
      scheme: "master",
      rounding: "nearest-even",
      moments: ["M", "V"],
      remark: expect.stringContaining("square root differs by machine"),
    });
    expect(of("adamw", "torch-1.13-cpu")?.verified).toEqual({
      by: "bit for bit with torch 1.13.1 on a CPU, ten steps",
      formats: ["bf16"],
    });
    // Whole matrices, or blocks of a tensor: only the reference steps those.
    const byReference = recipeList([], "").recipes.filter(({ engines }) => engines === "reference");
    expect(byReference.map(({ optimizer, name }) => `${optimizer} ${name}`)).toEqual([
      "adamw bnb-adamw8bit",
      ...["muon", "fp32", "master"].map((name) => `muon ${name}`),
      ...["transformers-adafactor", "fp32", "master"].map((name) => `adafactor ${name}`),
    ]);
  });
});

describe("words choose", () => {
  it("by a part of the name, or of the framework, in any case", () => {
    expect(named("collage")).toEqual(["adamw collage-light", "adamw collage-plus"]);
    expect(named("HEAVYball")).toEqual(["adamw heavyball-stochastic"]);
    expect(named("optimi.")).toEqual(["adamw kahan"]);
    expect(named("shampoo")).toEqual([]);
  });

  it("what has every one of them", () => {
    expect(named("cuda", "fused", "adam")).toEqual(["adam torch-2.13-cuda-fused"]);
    expect(named("cuda", "collage")).toEqual([]);
  });

  it("an optimizer by its name: adam is not in adamw, nor muon in a text", () => {
    expect(named("Adam")).toEqual([...recipes.adam.keys()].map((name) => `adam ${name}`));
    expect(named("lion")).toEqual(["lion lion-pytorch", "lion fp32", "lion master"]);
    expect(named("lion", "adam")).toEqual([]);
  });

  it("among what is not imitated by the same", () => {
    expect(notImitated("sgd", "fused")).toEqual(["torch-2.13-cpu-fused"]);
    expect(notImitated("adamw")).toEqual([]);
    expect(notImitated("collage")).toEqual([]);
  });
});
