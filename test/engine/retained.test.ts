import { describe, expect, it } from "vitest";
import { reference } from "../../src/engine/reference/reference.js";
import { summarizeCase } from "../../src/lens/run/summarize.js";
import { recipeSettings } from "../../src/update/optimizer.js";
import { type SchemeName, schemeNames } from "../../src/update/scheme.js";
import { type UpdateOptions, updateSettings } from "../../src/update/settings.js";
import { bfloat16Schemes, toBfloat16 } from "../support/bfloat16.js";
import { everyEngine } from "../support/engines.js";
import { sized } from "../support/tier.js";
import { gaussianRun, tensorOf } from "../support/values.js";

const run = gaussianRun(11, sized({ quick: 1500, full: 5000 }), 20, 4e-5);
/** Updates far below the gaps, from weights that bf16 holds, as a checkpoint has them. */
const small = onTheGrid(gaussianRun(12, 5000, 20, 2e-6));

function onTheGrid<T extends { readonly weights: Float32Array }>(given: T): T {
  return { ...given, weights: given.weights.map(toBfloat16) };
}

async function endOf(
  engine: (typeof everyEngine)[number],
  options: UpdateOptions,
  { weights, updates } = run,
) {
  const stepNumbers = updates.map((_, i) => i);
  const tensors = [tensorOf("w", weights, ...updates)];
  const [tally] = await engine.run({ tensors, stepNumbers, cases: [updateSettings(options)] });
  return summarizeCase(tally).end;
}

/** The sums behind the measures, one weight after the other, stored and carried by integers. */
function byHand(scheme: SchemeName) {
  let [visible, retained, squared, noise, weight] = [0, 0, 0, 0, 0];
  for (const [i, given] of run.weights.entries()) {
    const start = toBfloat16(given);
    let [w, carrier, fp32] = [start, scheme === "master" ? given : 0, given];
    for (const update of run.updates) {
      [w, carrier] = bfloat16Schemes[scheme](w, carrier, update[i]);
      fp32 = Math.fround(fp32 + update[i]);
    }
    const D = fp32 - given;
    const held = {
      "in-place": w - start,
      master: carrier - given,
      kahan: w - start + carrier,
      "two-term": w - start + carrier,
    };
    visible += (w - start) * D;
    retained += held[scheme] * D;
    squared += D * D;
    noise += (held[scheme] - D) ** 2;
    weight += given * given;
  }
  return {
    visible: visible / squared,
    retained: retained / squared,
    noise: Math.sqrt(noise / squared),
    noiseToWeight: Math.sqrt(noise / weight),
  };
}

describe.each(everyEngine)("what a run retains and shows, on $name", (engine) => {
  it.each(schemeNames)("%s: as one weight after the other", async (scheme) => {
    const { visible, retained, noise, noiseToWeight } = await endOf(engine, { format: "bf16", scheme });
    const found = { visible, retained, noise, noiseToWeight };
    for (const [name, expected] of Object.entries(byHand(scheme))) {
      // By hand nothing is rounded to fp32 on the way.
      expect(found[name as keyof typeof found], name).toBeCloseTo(expected, 6);
    }
  });

  it("a master retains all, without noise, though its stored bits lag behind a start on the grid", async () => {
    const end = await endOf(engine, { format: "bf16", scheme: "master" }, small);
    expect(end).toMatchObject({ retained: 1, noise: 0, noiseToWeight: 0 });
    expect(end.visible).toBeLessThan(0.9);
    expect(end.sums.retainedProduct).toEqual(end.sums.displacementSquared);
  });

  it("in place retained and visible are one", async () => {
    for (const rounding of ["nearest-even", "stochastic", "toward-zero"] as const) {
      const end = await endOf(engine, { format: "bf16", rounding, seed: 3 });
      expect(end.retained).toBe(end.visible);
      expect(end.sums.retainedProduct).toEqual(end.sums.product);
    }
  });

  it("kahan and two-term keep what in place loses", async () => {
    const inPlace = await endOf(engine, { format: "bf16" }, small);
    expect(inPlace.retained).toBeLessThan(0.1);
    for (const scheme of ["kahan", "two-term"] as const) {
      const end = await endOf(engine, { format: "bf16", scheme }, small);
      expect(Math.abs(end.retained! - 1)).toBeLessThan(0.01);
      expect(end.noise).toBeLessThan(0.1);
    }
  });

  it("stochastic rounding retains all on average, and pays in noise", async () => {
    const end = await endOf(engine, { format: "bf16", rounding: "stochastic", seed: 5 }, small);
    expect(Math.abs(end.retained! - 1)).toBeLessThan(0.1);
    expect(end.noise).toBeGreaterThan(1);
    // Each step is a draw between two numbers a gap apart, of variance f (gap - f), f what is beyond a whole gap.
    let expected = 0;
    for (const [i, w] of small.weights.entries()) {
      const gap = 2 ** (Math.floor(Math.log2(Math.abs(w))) - 7);
      for (const update of small.updates) {
        const beyond = Math.abs(update[i]) % gap;
        expected += beyond * (gap - beyond);
      }
    }
    const squared = end.sums.noiseSquared!.reduce((sum, part) => sum + part, 0);
    expect(squared / expected).toBeGreaterThan(0.9);
    expect(squared / expected).toBeLessThan(1.1);
  });

  it("weights with NaN or Inf are in none of the sums", async () => {
    const { weights, updates } = run;
    const expected = await endOf(engine, { format: "bf16", scheme: "kahan" });
    const others = Float32Array.from([...weights, Number.NaN, 1, Infinity, 1]);
    const more = updates.map((update, step) =>
      Float32Array.from([...update, 1, step === 3 ? Infinity : 0, 0, 0]),
    );
    const end = await endOf(engine, { format: "bf16", scheme: "kahan" }, { weights: others, updates: more });
    expect(end.nonfinite).toBe(3);
    expect({ ...end.sums, weightSquared: null }).toEqual({ ...expected.sums, weightSquared: null });
    const sum = (parts: readonly number[] | null) => parts!.reduce((total, part) => total + part, 0);
    // The last weight is 1 and did not move.
    expect(sum(end.sums.weightSquared) - sum(expected.sums.weightSquared)).toBeCloseTo(1, 9);
  });
});

describe("recipes", () => {
  const { weights, updates: gradients } = onTheGrid(gaussianRun(13, 1000, 10, 1));
  const count = async (name: string) => {
    const cases = [recipeSettings("adamw", name, { format: "bf16", lr: 1e-6 })];
    const [tally] = await reference.run({
      tensors: [tensorOf("w", weights, ...gradients)],
      stepNumbers: gradients.map((_, i) => i + 1),
      cases,
    });
    return summarizeCase(tally).end;
  };

  it("a master retains all, kahan nearly, storage in place next to nothing", async () => {
    expect(await count("fp32")).toMatchObject({ retained: 1, visible: 1, noise: 0 });
    const master = await count("master");
    expect(master.retained).toBeGreaterThan(0.99);
    expect(master.visible).toBeLessThan(0.5);
    expect((await count("kahan")).retained).toBeGreaterThan(0.97);
    const inPlace = await count("torch-2.13-cpu-fused");
    expect(inPlace.retained).toBeLessThan(0.1);
    expect(inPlace.retained).toBe(inPlace.visible);
  });
});
