/** The fast AdamW against the recipe that it is written from, and torch's recorded updates. */
import { describe, expect, test } from "vitest";
import { format } from "../../src/format/registry.js";
import { AdamwUpdates, clip } from "../../src/learn/adamw.js";
import { intended } from "../../src/update/recipe/intended.js";
import { RecipeStep } from "../../src/update/recipe/recipe-step.js";
import { seeded } from "../source/support.js";
import { sized } from "../support/tier.js";
import { data, numbersIn } from "./support.js";

const settings = { lr: 1e-5, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0 } as const;

/** The same step by the recipe, one weight at a time. */
function byRecipe(optimizer: typeof settings | { lr: number; betas: readonly [number, number] }) {
  const step = new RecipeStep(intended({ optimizer: "adamw" }), optimizer, format("fp32"), () => 0);
  const at = (name: string) => step.register(name);
  return (t: number, g: Float32Array, m: Float32Array, v: Float32Array): Float32Array => {
    step.begin(t);
    return g.map((gradient, i) => {
      step.registers[at("g")] = gradient;
      step.registers[at("M")] = m[i];
      step.registers[at("V")] = v[i];
      step.registers[at("P")] = 0;
      step.apply();
      m[i] = step.registers[at("M")];
      v[i] = step.registers[at("V")];
      return step.registers[at("u")];
    });
  };
}

describe("AdamW's updates", () => {
  test.each([
    ["the recorded runs", settings],
    ["a first beta of a tenth", { lr: 0.1, betas: [0.1, 0.999] as const }],
  ])("have the bits of the recipe, with the settings of %s", (_, optimizer) => {
    const length = sized({ quick: 2000, full: 50_000 });
    const next = seeded(9);
    const fast = new AdamwUpdates(optimizer, length);
    const recipe = byRecipe(optimizer);
    const [m, v] = [new Float32Array(length), new Float32Array(length)];
    const updates = new Float32Array(length);
    for (let t = 1; t <= 6; t++) {
      // Of all sizes, zeros and subnormal squares among them, and of few bits, where sums lie in the middle of two numbers.
      const gradient = Float32Array.from({ length }, (_, i) => {
        const bits = i % 3 === 0 ? next(16) - 8 : next(2 ** 24) - 2 ** 23;
        return bits * 2 ** -(next(60) + 20);
      });
      fast.step(gradient, updates);
      expect([...updates]).toEqual([...recipe(t, gradient, m, v)]);
      expect([...fast.m]).toEqual([...m]);
      expect([...fast.v]).toEqual([...v]);
    }
  });

  test("are torch's to a few units of the last place on the recorded gradients", () => {
    const gradients = numbersIn(data("recorded/rlvr/early/gradients.safetensors"));
    const recorded = numbersIn(data("recorded/rlvr/early/updates.safetensors"));
    const name = "layers.0.up_proj.weight";
    const fast = new AdamwUpdates(settings, 4096);
    const updates = new Float32Array(4096);
    for (let t = 0; t < 8; t++) {
      const key = `step${String(t).padStart(4, "0")}/${name}`;
      fast.step(Float32Array.from(gradients.get(key)!), updates);
      for (const [i, u] of recorded.get(key)!.entries()) {
        expect(Math.abs(updates[i] - u)).toBeLessThanOrEqual(2 ** -20 * Math.abs(u));
      }
    }
  });
});

test("a gradient is clipped to its largest norm, and a smaller one is left", () => {
  const long = Float32Array.of(3, 4);
  expect(clip(long, 1)).toBe(5);
  expect(Math.hypot(...long)).toBeCloseTo(1, 5);
  const short = Float32Array.of(0.25, 0.5);
  clip(short, 1);
  expect([...short]).toEqual([0.25, 0.5]);
});
