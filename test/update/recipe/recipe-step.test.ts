import { describe, expect, test } from "vitest";
import { format } from "../../../src/format/registry.js";
import { recipe } from "../../../src/update/optimizer.js";
import { betasOf, momentCorrection, RecipeStep } from "../../../src/update/recipe/recipe-step.js";

const settings = { lr: 1e-3, betas: [0.5, 0.75] as const };

function startOf(name: string, moment: "M" | "V", recorded: number, t: number): readonly number[] {
  const chosen = recipe("adamw", name);
  const step = new RecipeStep(chosen, settings, format("bf16"), () => 0);
  return step.startMoment(chosen.moments.find((each) => each.of === moment)!, recorded, t);
}

/** 1 + 2^-7 is a number of bf16, 1 + 2^-9 is none: it rounds to 1, and 2^-9 is left. */
describe("a moment that starts from a recorded number", () => {
  test("is that number where moments are fp32", () => {
    expect(startOf("master", "M", 1 + 2 ** -9, 7)).toEqual([1 + 2 ** -9, 0]);
    expect(startOf("fp32", "V", 2 ** -30, 7)).toEqual([2 ** -30, 0]);
  });

  test("is stored where they are kept in the storage format, by nearest-even", () => {
    expect(startOf("torch-2.13-cpu-fused", "M", 1 + 2 ** -7, 7)).toEqual([1 + 2 ** -7, 0]);
    expect(startOf("torch-2.13-cpu-fused", "M", 1 + 2 ** -9, 7)).toEqual([1, 0]);
    expect(startOf("torch-2.13-cuda-for-loop", "V", -1 - 3 * 2 ** -9, 7)).toEqual([-1 - 2 ** -7, 0]);
  });

  test("leaves the rest in the second term of an expansion", () => {
    expect(startOf("collage-plus", "V", 1 + 2 ** -9, 7)).toEqual([1, 2 ** -9]);
    expect(startOf("collage-light", "V", 1 + 2 ** -9, 7)).toEqual([1, 0]);
    // The gap of bf16 at 2^-9 is 2^-16: of 2^-9 and three quarters of it, the nearest.
    expect(startOf("collage-plus", "V", 1 + 2 ** -9 + 3 * 2 ** -18, 7)).toEqual([1, 2 ** -9 + 2 ** -16]);
  });

  test("is divided by its bias correction where the recipe keeps it so; none at step 0", () => {
    // 1 - .5^2 and 1 - .75^2.
    expect(startOf("kahan", "M", 0.75, 2)).toEqual([1, 0]);
    expect(startOf("kahan", "V", 7 / 16, 2)).toEqual([1, 0]);
    expect(startOf("kahan", "M", 0, 0)).toEqual([0, 0]);
  });
});

test("without betas, an optimizer has its published ones", () => {
  expect(betasOf("muon", { lr: 1 })).toEqual([0.95, 0.999]);
  expect(betasOf("lion", { lr: 1 })).toEqual([0.9, 0.99]);
  expect(betasOf("adam", { lr: 1 })).toEqual([0.9, 0.999]);
  expect(betasOf("muon", { lr: 1, betas: [0.5, 0.25] })).toEqual([0.5, 0.25]);
});

test("HeavyBall keeps corrected moments, torch does not", () => {
  const correctionOf = (name: string, of: "M" | "V") =>
    momentCorrection(recipe("adamw", name), { of }, { lr: 1, betas: [0.5, 0.75] }, 2);
  expect(correctionOf("heavyball-stochastic", "M")).toBe(0.75);
  expect(correctionOf("heavyball-stochastic", "V")).toBe(7 / 16);
  expect(correctionOf("torch-2.13-cpu-foreach", "M")).toBe(1);
});

test("all weights of a tensor at once, without a whole-tensor step, are those one by one", () => {
  const stepOf = () => {
    const step = new RecipeStep(recipe("adamw", "master"), settings, format("bf16"), () => 0);
    step.begin(1);
    return step;
  };
  const [weights, gradients] = [Float32Array.of(1, -2, 0.5), Float32Array.of(0.3, 0, -0.01)];
  const columns = {
    p: Float32Array.from(weights),
    P: Float32Array.from(weights),
    g: Float32Array.from(gradients),
    M: new Float32Array(3),
    V: new Float32Array(3),
  };
  stepOf().applyAll(columns, [3]);
  const one = stepOf();
  const expected = Array.from(weights, (weight, i) => {
    const given = { p: weight, P: weight, g: gradients[i], M: 0, V: 0 };
    for (const [name, x] of Object.entries(given)) one.registers[one.register(name)] = x;
    one.apply();
    return one.registers[one.register("P")];
  });
  expect(Array.from(columns.P)).toEqual(expected);
  expect(columns.P).not.toEqual(weights);
});

describe("a tail", () => {
  // SGD's vector loops on the CPU take blocks of 32.
  const stepOf = (lr: number) =>
    new RecipeStep(recipe("sgd", "torch-2.13-cpu-foreach"), { lr }, format("bf16"), () => 0);

  test("begins after the last whole block; without one, at the end", () => {
    expect([0, 31, 32, 61, 64].map((elements) => stepOf(1).tailFrom(elements))).toEqual([0, 0, 32, 32, 64]);
    const plain = new RecipeStep(recipe("adamw", "kahan"), settings, format("bf16"), () => 0);
    expect(plain.tailFrom(61)).toBe(61);
  });

  test("has the lines of its own, which a weight takes only if it is said to be there", () => {
    const weightAfter = (...inTail: [boolean?]) => {
      const step = stepOf(17 / 16);
      step.begin(1);
      step.registers[step.register("p")] = 1;
      step.registers[step.register("g")] = 17 / 32;
      step.apply(...inTail);
      return step.registers[step.register("p")];
    };
    // 1 - 289/512 at once, or 289/512 first rounded to bf16: a tie, to 288/512.
    expect([weightAfter(), weightAfter(false), weightAfter(true)]).toEqual([223 / 512, 223 / 512, 224 / 512]);
  });
});
