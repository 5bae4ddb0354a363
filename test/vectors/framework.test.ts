import { describe, expect, it } from "vitest";
import { adam, adamw, lion, type OptimizerState, recipes, sgd } from "../../src/update/optimizer.js";
import type { OptimizerName, Recipe } from "../../src/update/recipe/recipe.js";
import type { FrameworkFile } from "../../src/vectors/framework-file.js";
import { describeFramework, examineFramework, isRight, same } from "../../src/vectors/framework-words.js";
import { toBfloat16 } from "../support/bfloat16.js";
import { random32 } from "../support/bits.js";
import { sized } from "../support/tier.js";

const elements = 93;
const settings = { lr: 0.03, betas: [0.9, 0.95] as [number, number], eps: 1e-6, weightDecay: 0.5 };
const by = { adamw, adam, sgd, lion };

const hexOf = (numbers: Float32Array) =>
  Array.from(new Uint32Array(numbers.slice().buffer), (word) => word.toString(16).padStart(8, "0")).join(" ");

/** What a framework calls a state, and what it stores it in. */
function called(state: string, optimizer: OptimizerName, format: string) {
  const names: Readonly<Record<string, string>> = {
    m: ["adamw", "adam"].includes(optimizer) ? "exp_avg" : "momentum_buffer",
    v: "exp_avg_sq",
    k: "compensation",
    P: "master_param",
  };
  return {
    name: names[state] ?? names[state.toLowerCase()],
    format: /^[MVP]$/.test(state) ? "fp32" : format,
  };
}

/** What the doctor would write of a framework that steps by a recipe. */
function fileOf({ optimizer, name, fp32Storage }: Recipe, change?: (p: Float32Array) => void): FrameworkFile {
  const draw = random32(3);
  const numbers = (size: number) =>
    Float32Array.from({ length: elements }, () => {
      const bits = draw();
      const x = (bits % 2 === 0 ? size : -size) * (1 + (bits >>> 8) / 2 ** 24) * 2 ** -((bits >>> 1) % 10);
      return fp32Storage ? Math.fround(x) : toBfloat16(Math.fround(x));
    });
  const format = fp32Storage ? "fp32" : "bf16";
  const run = by[optimizer as keyof typeof by]({ recipe: name, format, ...settings, random: random32(5) });
  const start = numbers(1);
  let state: OptimizerState = run.init(start);
  const steps = [1, 2, 3].map((t) => {
    const g = numbers(0.5);
    state = run.step(state, g);
    const { p, ...others } = state.values;
    change?.(p);
    const states = Object.entries(others)
      // fp32 storage has no master beside it.
      .filter(([stateName]) => !(fp32Storage && stateName === "P"))
      .map(([stateName, values]) => {
        const { name, format: stored } = called(stateName, optimizer, format);
        return [name, { format: stored, codes: hexOf(values) }] as const;
      });
    return { t, g: hexOf(g), p: hexOf(p), states: Object.fromEntries(states) };
  });
  const { lr, betas, eps, weightDecay } = settings;
  return {
    ...{ schema: "precision-lens-framework/1", framework: "test", version: "1", device: "cpu" },
    ...{ optimizer: "Of", format, shape: [elements] },
    settings: { lr, betas, momentum: betas[0], eps, weight_decay: weightDecay },
    start: hexOf(start),
    steps,
    casts: [],
  };
}

/** Of those whose states have names in a framework. */
const all = (Object.keys(by) as OptimizerName[]).flatMap((optimizer) =>
  [...recipes[optimizer].values()].filter((recipe) => !recipe.whole && !recipe.name.startsWith("collage")),
);

describe("what a framework did", () => {
  const some = all.filter(
    ({ optimizer, name }) =>
      optimizer === "adamw" && /^(fp32|kahan|.*-stochastic|transformer.*r)$/.test(name),
  );
  it.each(
    sized({ quick: some, full: all }).map((recipe) => [recipe.optimizer, recipe.name, recipe] as const),
  )("%s %s is known by its bits", (_, __, chosen) => {
    const outcome = examineFramework(fileOf(chosen));
    const found = same(outcome.recipes).map(({ recipe }) => recipe);
    const stochastic = chosen.weight.some((line) => line.includes("S("));
    // A stochastic one is named where no other gives the bits; on CUDA two are alike here, and so are Adam and AdamW of some.
    expect(found).toContain(chosen);
    // In fp32 storing changes nothing.
    if (!chosen.fp32Storage) expect(found.every((other) => other.scheme === chosen.scheme)).toBe(true);
    expect(isRight(outcome)).toBe(true);
    const [, verdict] = describeFramework(outcome);
    expect(verdict).toMatch(
      stochastic ? /which is drawn\.$/ : /all of 279 steps of an element, every bit\.$/,
    );
  });

  it("one weight of another bit is told with its step, element and numbers", () => {
    const recipe = recipes.adamw.get("torch-2.13-cpu-fused")!;
    const file = fileOf(recipe, (p) => {
      p[7] = toBfloat16(p[7] * (1 + 2 ** -7));
    });
    const outcome = examineFramework(file);
    expect(same(outcome.recipes)).toEqual([]);
    const [nearest] = outcome.recipes;
    expect(nearest).toMatchObject({ recipe, cases: 279, first: { step: 1, element: 7, state: "p" } });
    expect(nearest.stages.map(({ state, wrong }) => [state, wrong])).toEqual([
      ["m", 0],
      ["v", 0],
      ["p", 3],
    ]);
    expect(describeFramework(outcome)).toContain("  first moment (m): all of 279, every bit");
    expect(describeFramework(outcome).join("\n")).toMatch(
      /first: step 1, element 7, .*: p became .*, expected /,
    );
  });

  it("a weight is judged where the moments are right, and how often that was is told", () => {
    const file = fileOf(recipes.adamw.get("torch-2.13-cpu-fused")!);
    const wrong = { format: "bf16", codes: hexOf(new Float32Array(elements).fill(3)) };
    const steps = file.steps.map((step) => ({ ...step, states: { ...step.states, exp_avg_sq: wrong } }));
    const lines = describeFramework(examineFramework({ ...file, steps })).join("\n");
    expect(lines).toContain("first moment (m): all of 279, every bit");
    expect(lines).toContain("second moment (v): 279 of 279 differ (100.0 %)");
    expect(lines).toMatch(/weight, where the moments are right: nowhere$/m);
  });
});
