import { describe, expect, it } from "vitest";
import { reference } from "../../src/engine/reference/reference.js";
import { summarizeCase } from "../../src/lens/run/summarize.js";
import { ExactSum } from "../../src/lens/sum.js";
import { openRecording, recordedRun } from "../../src/source/recording.js";
import { applyUpdate } from "../../src/update/apply.js";
import { recipeSettings } from "../../src/update/optimizer.js";
import { type SchemeName, schemeNames } from "../../src/update/scheme.js";
import { updateSettings } from "../../src/update/settings.js";
import { everyEngine } from "../support/engines.js";
import { recorded } from "../support/recorded.js";
import { sized } from "../support/tier.js";
import { gaussianRun, tensorOf, valuesOf } from "../support/values.js";

const cases = schemeNames.map((scheme) => updateSettings({ format: "bf16", scheme }));

/** Tensors of a recorded run, with their numbers. */
async function inMemory(window: string) {
  const { tensors, stepNumbers, close } = await openRecording(await recordedRun(recorded(window)));
  const read = async ({ length, read }: (typeof tensors)[number]["weights"]) => {
    const numbers = new Float32Array(length);
    await read(0, numbers);
    return numbers;
  };
  const all = [];
  for (const { name, weights, updates } of tensors) {
    all.push({ name, weights: await read(weights), updates: await Promise.all(updates.map(read)) });
  }
  await close();
  return { all, stepNumbers };
}

/** The first updates of a recorded run, and what a loop over applyUpdate counts of them at some steps. */
async function countByHand(scheme: SchemeName) {
  const { all: whole, stepNumbers } = await inMemory("rlvr/early");
  // Without the matrices of the second layer and the largest of the first: a sixth of the weights.
  const all = sized({
    quick: whole.filter(({ name }) => !/layers\.1\.|mlp|up_|down_/.test(name)),
    full: whole,
  });
  const milestones = [0, 2, 3, 6];
  const settings = updateSettings({ format: "bf16", scheme });
  const tensors = all.map(({ name, weights, updates }) => tensorOf(name, weights, ...updates));
  const elements = all.reduce((sum, { weights }) => sum + weights.length, 0);
  const expected = milestones.map((index) => ({
    step: stepNumbers[index],
    elements,
    unchanged: 0,
    neverUpdated: 0,
    cancelled: 0,
    hidden: 0,
    returned: 0,
    nonfinite: 0,
    parted: null,
  }));
  const sums = milestones.map(() => ({ dD: 0, DD: 0 }));
  for (const { weights, updates } of all) {
    for (const [i, given] of weights.entries()) {
      const start = applyUpdate(given, 0, { format: "bf16" }).weight;
      let state = applyUpdate(given, updates[0][i], { format: "bf16", scheme });
      let [fp32, updated, moves] = [given, false, 0];
      let before = start;
      for (const [s, update] of updates.entries()) {
        if (s > 0) state = applyUpdate(state, update[i], { format: "bf16", scheme });
        if (state.weight !== before) moves += 1;
        if (update[i] !== 0) updated = true;
        fp32 = Math.fround(fp32 + update[i]);
        before = state.weight;
        const m = milestones.indexOf(s);
        if (m < 0) continue;
        const D = Math.fround(fp32 - given);
        sums[m].DD += D * D;
        sums[m].dD += D * Math.fround(state.weight - start);
        if (state.weight !== start) continue;
        expected[m].unchanged += 1;
        if (moves > 0) expected[m].returned += 1;
        if (!updated) expected[m].neverUpdated += 1;
        else expected[m][fp32 === given ? "cancelled" : "hidden"] += 1;
      }
    }
  }
  return { job: { tensors, stepNumbers, milestones, cases: [settings] }, expected, sums };
}

const byScheme = new Map<SchemeName, ReturnType<typeof countByHand>>();

/** The same for every engine. */
function counted(scheme: SchemeName) {
  const known = byScheme.get(scheme) ?? countByHand(scheme);
  byScheme.set(scheme, known);
  return known;
}

describe.each(everyEngine)("curves on $name", (engine) => {
  it.each(schemeNames)(
    "%s, a recorded run: what a loop over applyUpdate counts after each step",
    async (scheme) => {
      const { job, expected, sums } = await counted(scheme);
      const [tally] = await engine.run(job);
      const { curve } = summarizeCase(tally);
      expect(curve).toMatchObject(expected);
      for (const [m, { visible }] of curve.entries()) {
        expect((visible ?? Number.NaN) / (sums[m].dD / sums[m].DD)).toBeCloseTo(1, 12);
      }
      // The run is one on which the counts say something, and other things at other steps.
      expect(new Set(curve.map(({ visible }) => visible)).size).toBe(4);
      expect(Math.min(...curve.slice(1).map(({ hidden }) => hidden))).toBeGreaterThan(0);
      expect(curve.at(-1)!.returned).toBeGreaterThan(0);
    },
  );

  it("change no other count, and end where the run does, whatever the chunks", async () => {
    // Two chunks, or three.
    const elements = sized({ quick: 5000, full: 10_000 });
    const { weights, updates } = gaussianRun(6, elements, 5, 4e-5);
    weights[9] = Number.NaN;
    updates[1][4500] = Infinity;
    const tensors = [
      tensorOf("a", weights, ...updates),
      tensorOf("b", weights.subarray(0, 77), ...updates.map((update) => update.subarray(0, 77))),
    ];
    const stepNumbers = [2, 4, 6, 7, 30];
    const count = async (more: object) =>
      (await engine.run({ tensors, stepNumbers, cases, ...more })).map(summarizeCase);
    const plain = await count({});
    const curved = await count({ milestones: [0, 1, 4] });
    for (const [c, { curve, ...rest }] of curved.entries()) {
      expect({ ...rest, curve: [] }).toEqual(plain[c]);
      expect(curve.map(({ step, elements }) => [step, elements])).toEqual(
        [2, 4, 30].map((step) => [step, elements + 77]),
      );
      expect(curve.map(({ nonfinite }) => nonfinite)).toEqual([2, 3, 3]);
      expect(curve[2]).toEqual({ step: 30, elements: elements + 77, ...rest.end });
      expect(curve[0].sums).not.toEqual(curve[1].sums);
    }
    expect(await count({ milestones: [0, 1, 4], chunk: 4096 })).toEqual(curved);
    // After k steps a run is what a run of k steps ends as.
    const two = await engine.run({
      tensors: tensors.map((tensor) => ({ ...tensor, updates: tensor.updates.slice(0, 2) })),
      stepNumbers: [2, 4],
      cases,
    });
    for (const [c, { end }] of two.map(summarizeCase).entries())
      expect(curved[c].curve[1]).toMatchObject(end);
  });

  it.each([[[5]], [[-1]], [[0.5]], [[1, 1]], [[2, 0]]])(
    "milestones %j are none of a run of three steps",
    async (milestones) => {
      const job = { tensors: [tensorOf("w", [1], [1], [1], [1])], stepNumbers: [7, 8, 9], cases, milestones };
      await expect(engine.run(job)).rejects.toThrow(/^milestone .*: expected indices below 3, ascending$/);
    },
  );
});

it("recipes have curves too, with the weights that part from those of the first", async () => {
  const n = 300;
  const weights = Float32Array.from({ length: n }, (_, i) => Math.cos(i) / 10);
  const gradients = [1, 2, 3].map((seed) => weights.map((_, i) => Math.sin(i * seed) * 10 ** -(i % 9)));
  const recipes = ["torch-2.13-cpu-for-loop", "master"].map((name) =>
    recipeSettings("adamw", name, { lr: 1e-4, format: "bf16" }),
  );
  const tensor = { ...tensorOf("w", weights), updates: gradients.map(valuesOf) };
  const run = async (steps: number, milestones: readonly number[]) => {
    const tensors = [{ ...tensor, updates: tensor.updates.slice(0, steps) }];
    const stepNumbers = Array.from({ length: steps }, (_, i) => i);
    return (await reference.run({ tensors, stepNumbers, milestones, cases: recipes })).map(summarizeCase);
  };
  const whole = await run(3, [0, 1, 2]);
  for (const steps of [1, 2, 3]) {
    const ended = await run(steps, []);
    for (const [c, { curve }] of whole.entries()) {
      expect(curve[steps - 1]).toEqual({ step: steps - 1, elements: n, ...ended[c].end });
      expect(curve[steps - 1].parted).toBe(whole[c].steps[steps - 1].parted);
    }
  }
  expect(whole[1].curve[0].parted).toBeGreaterThan(0);
  expect(ExactSum.of(whole[1].curve[2].sums.displacementSquared).value()).toBeGreaterThan(0);
});
