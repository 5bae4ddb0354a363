import { describe, expect, it } from "vitest";
import { format } from "../../src/format/registry.js";
import { applyUpdate } from "../../src/update/apply.js";
import { adamw, lion, recipe, recipeSettings, recipes } from "../../src/update/optimizer.js";
import { intended } from "../../src/update/recipe/intended.js";
import type { OptimizerName } from "../../src/update/recipe/recipe.js";
import { schemes } from "../../src/update/scheme.js";
import { updateSettings } from "../../src/update/settings.js";
import { tensorKey } from "../../src/update/threefry.js";

describe("updateSettings", () => {
  it("has defaults for all but the format", () => {
    expect(updateSettings({ format: "bf16" })).toEqual({
      format: format("bf16"),
      scheme: "in-place",
      rounding: "nearest-even",
      overflow: "ieee",
      opmath: "fp32",
      seed: 0,
    });
  });

  it.each(["scheme", "rounding", "overflow", "opmath"])("says which %s it does not know", (what) => {
    const options = { format: "bf16", [what]: "magic" };
    expect(() => updateSettings(options)).toThrow(`unknown ${what} "magic": expected `);
  });

  it("refuses a format that holds scales and no weights", () => {
    expect(() => updateSettings({ format: "F8_E8M0" })).toThrow(
      new RangeError("format e8m0fnu holds scales of blocks, and no weights"),
    );
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN])("refuses the seed %f, as tensorKey does", (seed) => {
    const message = `seed ${seed}: expected an integer from 0 to 2^53 - 1`;
    expect(() => updateSettings({ format: "bf16", seed })).toThrow(message);
    expect(() => tensorKey(seed, "w")).toThrow(message);
  });
});

it("schemes say what carries the rest, and what holds all updates so far", () => {
  expect(Object.entries(schemes).map(([name, { carrier, holds }]) => [name, carrier, holds])).toEqual([
    ["in-place", null, "weight"],
    ["master", "fp32 master", "carrier"],
    ["kahan", "compensation", "sum"],
    ["two-term", "second term", "sum"],
  ]);
});

describe("random bits that are missing", () => {
  it("are asked for by name", () => {
    const stochastic = { format: "bf16", rounding: "stochastic" } as const;
    const withoutOptions = applyUpdate as unknown as (weight: number, update: number) => void;
    expect(() => withoutOptions(1, 1e-3)).toThrow(
      "options: expected an object with a format, found undefined",
    );
    expect(() => applyUpdate(1, 1e-3, stochastic)).toThrow("needs `random`, a source of 32 random bits");
    const optimizer = adamw({ recipe: "torchao-stochastic", lr: 1 });
    expect(() => optimizer.step(optimizer.init([1]), [1])).toThrow(
      "rounds stochastically and needs `random`",
    );
  });
});

/** What each recipe amounts to, and what it keeps of past gradients. */
const amountsTo: Readonly<Record<OptimizerName, Readonly<Record<string, string>>>> = {
  adamw: {
    "torch-2.13-cpu-for-loop": "bf16 in-place nearest-even, m of M, v of V",
    "torch-2.13-cpu-foreach": "bf16 in-place nearest-even, m of M, v of V",
    "torch-2.13-cpu-fused": "bf16 in-place nearest-even, m of M, v of V",
    "torch-2.13-cuda-for-loop": "bf16 in-place nearest-even, m of M, v of V",
    "torch-2.13-cuda-foreach": "bf16 in-place nearest-even, m of M, v of V",
    "torch-2.13-cuda-fused": "bf16 in-place nearest-even, m of M, v of V",
    "torch-2.13-cuda-capturable": "bf16 in-place nearest-even, m of M, v of V",
    fp32: "fp32 in-place nearest-even, M of M, V of V, P from weight",
    master: "bf16 master nearest-even, M of M, V of V, P from weight",
    "torchao-stochastic": "bf16 in-place stochastic, m of M, v of V",
    kahan: "bf16 kahan nearest-even, m of M, v of V, k from zero",
    "collage-light": "bf16 two-term nearest-even, m of M, v of V, r from zero",
    "collage-plus": "bf16 two-term nearest-even, m of M, v (dv) of V, r from zero",
    "torch-1.13-cpu": "bf16 in-place nearest-even, m of M, v of V",
    anyprecision: "bf16 kahan nearest-even, m of M, v of V, k from zero",
    "anyprecision-defaults": "bf16 in-place nearest-even, M of M, v of V",
    "anyprecision-torch-1.13-cpu": "bf16 kahan nearest-even, m of M, v of V, k from zero",
    "transformer-engine-bf16-states": "bf16 master nearest-even, m of M, v of V, P from weight",
    "transformer-engine-remainder": "bf16 master nearest-even, M of M, V of V, P from weight",
    "heavyball-stochastic": "bf16 in-place stochastic, m of M, v of V",
    "bnb-adamw8bit": "bf16 in-place nearest-even, M of M, V of V",
  },
  adam: {
    "torch-2.13-cpu-for-loop": "bf16 in-place nearest-even, m of M, v of V",
    "torch-2.13-cpu-foreach": "bf16 in-place nearest-even, m of M, v of V",
    "torch-2.13-cpu-fused": "bf16 in-place nearest-even, m of M, v of V",
    "torch-2.13-cuda-for-loop": "bf16 in-place nearest-even, m of M, v of V",
    "torch-2.13-cuda-foreach": "bf16 in-place nearest-even, m of M, v of V",
    "torch-2.13-cuda-fused": "bf16 in-place nearest-even, m of M, v of V",
    "torch-2.13-cuda-capturable": "bf16 in-place nearest-even, m of M, v of V",
    fp32: "fp32 in-place nearest-even, M of M, V of V, P from weight",
    master: "bf16 master nearest-even, M of M, V of V, P from weight",
    "torch-1.13-cpu": "bf16 in-place nearest-even, m of M, v of V",
  },
  sgd: {
    "torch-2.13-cpu-for-loop": "bf16 in-place nearest-even, m of M",
    "torch-2.13-cpu-foreach": "bf16 in-place nearest-even, m of M",
    "torch-2.13-cuda-for-loop": "bf16 in-place nearest-even, m of M",
    "torch-2.13-cuda-foreach": "bf16 in-place nearest-even, m of M",
    "torch-2.13-cuda-fused": "bf16 in-place nearest-even, m of M",
    fp32: "fp32 in-place nearest-even, M of M, P from weight",
    master: "bf16 master nearest-even, M of M, P from weight",
  },
  lion: {
    "lion-pytorch": "bf16 in-place nearest-even, m of M",
    fp32: "fp32 in-place nearest-even, M of M, P from weight",
    master: "bf16 master nearest-even, M of M, P from weight",
  },
  muon: {
    muon: "bf16 in-place nearest-even, m of M",
    fp32: "fp32 in-place nearest-even, M of M, P from weight",
    master: "bf16 master nearest-even, M of M, P from weight",
  },
  adafactor: {
    "transformers-adafactor": "bf16 in-place nearest-even, V of V",
    fp32: "fp32 in-place nearest-even, V of V, P from weight",
    master: "bf16 master nearest-even, V of V, P from weight",
  },
};

describe.each(Object.entries(amountsTo))("recipes of %s", (name, expected) => {
  const optimizer = name as OptimizerName;

  it("amount to a format, a scheme and a rounding", () => {
    const found = [...recipes[optimizer].keys()].map((recipeName) => {
      const settings = recipeSettings(optimizer, recipeName, { format: "bf16", lr: 1 });
      const { moments, carriers } = settings.recipe;
      const kept = [
        `${settings.format.name} ${settings.scheme} ${settings.rounding}`,
        ...moments.map(
          ({ name, carrier, of: role }) => `${name}${carrier ? ` (${carrier})` : ""} of ${role}`,
        ),
        ...carriers.map(({ name, from }) => `${name} from ${from}`),
      ];
      return [recipeName, kept.join(", ")];
    });
    expect(found).toEqual(Object.entries(expected));
  });

  it("know their optimizer, keep the settings, and hand on the seed", () => {
    for (const recipeName of recipes[optimizer].keys()) {
      const settings = recipeSettings(optimizer, recipeName, { format: "fp16", seed: 7, lr: 3, eps: 2 });
      expect(settings).toMatchObject({
        recipe: { optimizer, name: recipeName },
        seed: 7,
        overflow: "ieee",
        opmath: "fp32",
      });
      expect(settings.optimizer).toEqual({ lr: 3, eps: 2 });
    }
    expect(recipeSettings(optimizer, "master", { format: "bf16", lr: 1 }).seed).toBe(0);
  });

  it("are told to who asks for another", () => {
    const names = Object.keys(expected).join(", ");
    expect(() => recipe(optimizer, "magic")).toThrow(
      `unknown recipe "magic" of ${optimizer}: expected ${names}`,
    );
  });

  it("are told to who asks for their optimizer", () => {
    // Muon is the name of a recipe too.
    if (optimizer === "muon") return;
    const other = optimizer === "sgd" ? "adamw" : "sgd";
    expect(() => recipe(other, optimizer)).toThrow(
      `${optimizer} is an optimizer, and no recipe: its recipes are ${Object.keys(expected).join(", ")}`,
    );
  });

  it("are all beside one intended step, in fp32 from a given weight", () => {
    const { moments, carriers, scheme, name, of: subject, ...told } = intended(recipe(optimizer, "master"));
    const { source, releases, verified } = told;
    expect({ name, of: subject, source, releases, verified, scheme }).toEqual({
      name: "intended",
      of: "the update that is meant, in fp32",
      source: "the fp32 recipe of the optimizer",
      releases: "any",
      verified: "by definition",
      scheme: "master",
    });
    expect(moments).toEqual([
      { name: "M", of: "M" },
      { name: "V", of: "V" },
    ]);
    expect(carriers).toEqual([{ name: "P", from: "weight" }]);
  });
});

describe("optimizers", () => {
  it("have the published betas by default: .9 and .999 of AdamW, .9 and .99 of Lion", () => {
    const gradients = [[0.3], [-0.2], [0.1], [-0.25]];
    for (const [make, betas] of [
      [adamw, [0.9, 0.999]],
      [lion, [0.9, 0.99]],
    ] as const) {
      const [given, byDefault] = [{ betas }, {}].map((settings) => {
        const optimizer = make({ recipe: "master", lr: 0.1, ...settings });
        return gradients.reduce((state, gradient) => optimizer.step(state, gradient), optimizer.init([1]));
      });
      expect(byDefault).toEqual(given);
    }
  });

  it("take a format by value, and refuse a gradient of another length", () => {
    const optimizer = adamw({ recipe: "master", lr: 1, format: format("fp16") });
    const state = optimizer.init([0.1, 1e-9]);
    expect([...state.values.p]).toEqual([0.0999755859375, 0]);
    expect([...state.values.P]).toEqual([Math.fround(0.1), Math.fround(1e-9)]);
    expect(() => optimizer.step(state, [1])).toThrow("expected a gradient of 2 numbers, found 1");
  });
});
