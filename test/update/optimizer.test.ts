import { describe, expect, it } from "vitest";
import {
  adafactor,
  adam,
  adamw,
  expectOptimizerSettings,
  lion,
  muon,
  notImitated,
  optimizerNames,
  recipe,
  recipes,
  refusedSetting,
  refusedShape,
  sgd,
} from "../../src/update/optimizer.js";
import type { OptimizerName, OptimizerSettings } from "../../src/update/recipe/recipe.js";
import { expectEqual } from "../support/mismatches.js";

it("each optimizer runs its own recipes", () => {
  expect(optimizerNames).toEqual(["adamw", "adam", "sgd", "lion", "muon", "adafactor"]);
  for (const [name, make] of Object.entries({ adamw, adam, sgd, lion, muon, adafactor })) {
    expect(make({ recipe: "master", lr: 1 }).recipe).toBe(recipes[name as OptimizerName].get("master"));
  }
});

describe("a recipe that an optimizer does not have", () => {
  const lionsOwn = "lion-pytorch, fp32, master";

  it.each<readonly [OptimizerName, string, string]>([
    ["adamw", "lion-pytorch", "recipe lion-pytorch is of the optimizer lion, not of adamw"],
    [
      "lion",
      "torch-2.13-cuda-capturable",
      "recipe torch-2.13-cuda-capturable is of the optimizer adamw and adam, not of lion",
    ],
    ["adam", "muon", "recipe muon is of the optimizer muon, not of adam"],
    ["adamw", "lion", `lion is an optimizer, and no recipe: its recipes are ${lionsOwn}`],
    ["lion", "magic", `unknown recipe "magic" of lion: expected ${lionsOwn}`],
    // Another optimizer's recipe may be the nearest.
    ["lion", "kahn", `unknown recipe "kahn" of lion: did you mean kahan? Expected ${lionsOwn}`],
    ["lion", "mastre", `unknown recipe "mastre" of lion: did you mean master? Expected ${lionsOwn}`],
    [
      "sgd",
      "torch-2.13-cpu-fused",
      "recipe torch-2.13-cpu-fused of sgd is not imitated: torch.optim.SGD(fused=True) on the CPU has a bug up to " +
        "2.13 (pytorch#191763). It never stores bf16 or fp16 weights in whole blocks of 16 elements, and reads " +
        "their momentum as fp32: such a run does not train at all. Train with fused=False, and take " +
        "torch-2.13-cpu-foreach here",
    ],
  ])("%s %s", (optimizer, name, message) => {
    expect(() => recipe(optimizer, name)).toThrow(new RangeError(message));
  });

  it("is imitated by every optimizer but SGD", () => {
    const refused = optimizerNames.map((name) => [name, notImitated[name].size]);
    expect(refused).toEqual(optimizerNames.map((name) => [name, name === "sgd" ? 1 : 0]));
  });
});

describe("settings", () => {
  const fine = { lr: 0, betas: [0, 0], eps: 0, weightDecay: 0 } as const;

  it.each<readonly [OptimizerName, OptimizerSettings, string, string]>([
    ["adamw", { lr: -1 }, "a learning rate of at least 0, finite", "-1"],
    ["adamw", { lr: Infinity }, "a learning rate of at least 0, finite", "Infinity"],
    ["lion", { lr: 1, eps: NaN }, "an eps of at least 0, finite", "NaN"],
    ["muon", { lr: 1, weightDecay: Infinity }, "a weight decay of at least 0, finite", "Infinity"],
    ["adamw", { lr: 1, betas: [1, 0] }, "betas from 0 to less than 1", "1"],
    ["adam", { lr: 1, betas: [0.9, -0.5] }, "betas from 0 to less than 1", "-0.5"],
    ["sgd", { lr: 1, betas: [-1, 0] }, "a momentum (the first beta) of at least 0, finite", "-1"],
    ["sgd", { lr: 1, betas: [Infinity, 0] }, "a momentum (the first beta) of at least 0, finite", "Infinity"],
    // The first of several.
    ["sgd", { lr: -1, betas: [-2, 0] }, "a learning rate of at least 0, finite", "-1"],
  ])("%s refuses %j", (optimizer, settings, expected, found) => {
    expect(refusedSetting(optimizer, settings)).toEqual({ expected, found });
    const message = `expected ${expected}, found ${found}`;
    expect(() => expectOptimizerSettings(optimizer, settings)).toThrow(new RangeError(message));
  });

  it.each(optimizerNames)("%s takes zeros, and what is left out", (name) => {
    expect(refusedSetting(name, fine)).toBeNull();
    expect(refusedSetting(name, { lr: 1e-3 })).toBeNull();
    expect(() => expectOptimizerSettings(name, fine)).not.toThrow();
  });

  it("sgd takes a momentum above 1, and reads no second beta", () => {
    expect(refusedSetting("sgd", { lr: 1, betas: [2, -9] })).toBeNull();
  });
});

describe("shapes", () => {
  it("are refused with a reason by recipes of whole tensors, and by no others", () => {
    const shapes = [[], [4], [2, 2], [1, 2, 2]];
    const reasons = (optimizer: OptimizerName) =>
      shapes.map((shape) => refusedShape(recipe(optimizer, "master"), shape));
    const notMatrices = "Muon steps matrices, and leaves all else to an optimizer beside it";
    expect(reasons("muon")).toEqual([notMatrices, notMatrices, null, notMatrices]);
    expect(reasons("adafactor")).toEqual([null, null, null, "of more than two sides"]);
    expect(reasons("adamw")).toEqual([null, null, null, null]);
    // A tensor of any shape in blocks of 256.
    expect(refusedShape(recipe("adamw", "bnb-adamw8bit"), [1, 2, 2])).toBeNull();
  });

  it("are checked where an optimizer begins", () => {
    const [matrices, vectors] = [muon({ recipe: "muon", lr: 1 }), adamw({ recipe: "fp32", lr: 1 })];
    const one = "expected a shape of 1 number, found 2";
    expect(() => vectors.init([1], [2])).toThrow(new RangeError(one));
    expect(() => matrices.init([1, 2, 3, 4], [2, 3])).toThrow(
      new RangeError("expected a shape of 4 numbers, found 2 x 3"),
    );
    expect(() => matrices.init([1, 2, 3, 4])).toThrow(
      new RangeError(
        "recipe muon of a tensor 4: Muon steps matrices, and leaves all else to an optimizer beside it",
      ),
    );
    expect(() => matrices.init([1, 2, 3, 4], [1, 2, 2])).toThrow("recipe muon of a tensor 1 x 2 x 2: ");
  });

  it("are kept in the state of recipes that need them, and a vector's where none is given", () => {
    const run = adafactor({ recipe: "fp32", lr: 1 });
    const matrix = run.init([0, 0, 0, 0], [2, 2]);
    expect(matrix.shape).toEqual([2, 2]);
    expect(run.step(matrix, [1, 1, 1, 1]).shape).toEqual([2, 2]);
    const { t, values } = run.init([0, 0, 0, 0]);
    expect(run.step({ t, values }, [1, -1, 1, 1])).toMatchObject({
      t: 1,
      shape: [4],
      values: { p: Float32Array.of(-1, 1, -1, -1) },
    });
    const plain = adamw({ recipe: "fp32", lr: 1 });
    const start = plain.init([1], [1]);
    for (const state of [start, plain.step(start, [1])]) expect(Object.keys(state)).toEqual(["t", "values"]);
  });

  it("without which a state is that of a vector", () => {
    // 4096 elements, from which on bitsandbytes stores moments in 8 bits.
    const run = adamw({ recipe: "bnb-adamw8bit", lr: 1 });
    const state = run.init(new Float32Array(4096));
    const gradient = Float32Array.from({ length: 4096 }, (_, i) => (i % 7) - 3);
    const { t, values } = state;
    expectEqual(run.step({ t, values }, gradient), run.step(state, gradient));
  });

  it("the states of a whole tensor are left alone by a step", () => {
    const run = adafactor({ recipe: "fp32", lr: 1 });
    const start = run.init([0, 0, 0, 0], [2, 2]);
    run.step(start, [1, -1, 1, 1]);
    expect(start).toEqual(run.init([0, 0, 0, 0], [2, 2]));
    expect(() => run.step(start, [1, 1])).toThrow(
      new RangeError("expected a gradient of 4 numbers, found 2"),
    );
  });
});

describe("states", () => {
  it("are the weight, the moments, the carriers, and whatever else a recipe keeps", () => {
    const names = Object.entries({
      kahan: adamw({ recipe: "kahan", lr: 1 }),
      collage: adamw({ recipe: "collage-plus", lr: 1 }),
      sgd: sgd({ recipe: "master", lr: 1 }),
      adafactor: adafactor({ recipe: "master", lr: 1 }),
    }).map(([name, run]) => [name, Object.keys(run.init([0]).values).join(" ")]);
    expect(Object.fromEntries(names)).toEqual({
      kahan: "p m v k",
      collage: "p m v dv r",
      sgd: "p M P",
      adafactor: "p V P r c",
    });
  });

  it("are rounded stochastically by one draw a weight", () => {
    let draws = 0;
    const random = () => draws++;
    const run = adamw({ recipe: "torchao-stochastic", lr: 1, random });
    run.step(run.init([1, 2, 3]), [1, 1, 1]);
    expect(draws).toBe(3);
  });
});
