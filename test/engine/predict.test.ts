import { describe, expect, test } from "vitest";
import { predict } from "../../src/engine/predict.js";
import { reference } from "../../src/engine/reference/reference.js";
import { format } from "../../src/format/registry.js";
import type { TensorInput, Values } from "../../src/lens/input.js";
import { summarizeCase } from "../../src/lens/run/summarize.js";
import {
  type Knowledge,
  type Rule,
  ruleOutcomes,
  type StepPrediction,
} from "../../src/lens/study/prediction.js";
import { openRecording, recordedRun } from "../../src/source/recording.js";
import { syntheticRun } from "../../src/source/synthetic/synthetic-run.js";
import { gaussian as gaussianDraws } from "../../src/update/distribution.js";
import { updateSettings } from "../../src/update/settings.js";
import type { SimulatedRun } from "../../src/update/simulated-adamw.js";
import { recorded } from "../support/recorded.js";
import { sized } from "../support/tier.js";
import { gaussian, tensorOf, valuesOf } from "../support/values.js";

const bf16 = format("bf16");

function runOf(lr: number, betas: readonly [number, number], steps: number): SimulatedRun {
  return {
    optimizer: { lr, betas, eps: 1e-8, weightDecay: 0 },
    schedule: "constant",
    warmup: 0,
    steps,
    noise: gaussianDraws,
    snr: 0,
    seed: 0,
  };
}

const outcome = (steps: readonly StepPrediction[], rule: Rule, knows: Knowledge) =>
  ruleOutcomes(steps).find((ruleOutcome) => ruleOutcome.rule === rule && ruleOutcome.knows === knows)!;

/** Weights with gradients of unlike sizes, numbered from step 5 on. */
function drawnJob(elements: number, steps: number) {
  const normal = gaussian(7);
  const weights = Float32Array.from({ length: elements }, () => 0.02 * normal());
  const gradients = Array.from({ length: steps }, () =>
    Float32Array.from({ length: elements }, (_, i) => 10 ** -(i % 4) * (normal() + (i % 3))),
  );
  const stepNumbers = gradients.map((_, step) => 5 + step);
  return { weights, gradients, stepNumbers };
}

/** bf16 by its bits. */
function toBf16(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0];
}

test("counts what a plain loop over weights counts", async () => {
  const { weights, gradients, stepNumbers } = drawnJob(1500, 8);
  const [lr, b1, b2] = [3e-6, 0.9, 0.95];
  const expected = stepNumbers.slice(1).map((step) => ({
    step,
    changed: 0,
    nonfinite: 0,
    predicted: Array(7).fill(0),
    right: Array(7).fill(0),
  }));
  for (let i = 0; i < weights.length; i++) {
    let [master, m, v] = [weights[i], 0, 0];
    for (let t = 1; t <= gradients.length; t++) {
      const g = gradients[t - 1][i];
      const [mean, root] = [m / (1 - b1 ** (t - 1)), Math.sqrt(v / (1 - b2 ** (t - 1)))];
      const before = { stored: toBf16(master), master, m };
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      const u = (-lr * (m / (1 - b1 ** t))) / (Math.sqrt(v / (1 - b2 ** t)) + 1e-8);
      master = Math.fround(master + u);
      if (t === 1) continue;
      const counts = expected[t - 2];
      const changed = toBf16(master) !== before.stored;
      if (changed) counts.changed++;
      const other = (x: number) => toBf16(Math.fround(x)) !== before.stored;
      const loud = (x: number) => Math.abs(x) >= Math.abs(before.stored) / 256;
      const guess = (-lr * mean) / (root + 1e-8);
      const within = [-4, 4].map((deviations) => {
        const momentum = b1 * before.m + (1 - b1) * deviations * root;
        return (-lr * (momentum / (1 - b1 ** t))) / (root + 1e-8);
      });
      const said = [
        loud(guess),
        other(before.stored + guess),
        other(before.master + guess),
        within.some((reached) => other(before.master + reached)),
        loud(u),
        other(before.stored + u),
        other(before.master + u),
      ];
      for (const [r, yes] of said.entries()) {
        if (yes) counts.predicted[r]++;
        if (yes && changed) counts.right[r]++;
      }
    }
  }
  const job = { tensors: [tensorOf("w", weights, ...gradients)], stepNumbers };
  expect(await predict(job, runOf(lr, [b1, b2], 8), bf16)).toEqual(expected);
  expect(expected.every(({ changed }) => changed > 5)).toBe(true);
});

test("tensors and chunks add up, and progress comes to its end", async () => {
  // More than one chunk of 2^16.
  const { weights, gradients, stepNumbers } = drawnJob(2 ** 16 + 300, 2);
  const run = runOf(1e-5, [0.9, 0.999], 2);
  const piece = (from: number, to: number): TensorInput =>
    tensorOf("w", weights.subarray(from, to), ...gradients.map((gradient) => gradient.subarray(from, to)));
  const told: [number, number][] = [];
  const count = (tensors: readonly TensorInput[]) =>
    predict({ tensors, stepNumbers }, run, bf16, { progress: (done, total) => told.push([done, total]) });
  const whole = await count([piece(0, weights.length)]);
  const total = 2 * weights.length;
  expect(told).toEqual([
    [2 ** 17, total],
    [total, total],
  ]);
  expect(await count([piece(0, 1001), piece(1001, 1001), piece(1001, weights.length)])).toEqual(whole);
});

test.each([NaN, Infinity])("weights and gradients of %s are counted apart, not as changes", async (none) => {
  const job = {
    tensors: [tensorOf("w", Float32Array.of(none, 1, 1), [0, 0, 0], [0, none, 0], [0, 0, 0])],
    stepNumbers: [1, 2, 3],
  };
  const nothing = Array(7).fill(0);
  // The first weight from the start, the second from its gradient on; the third stays, as its gradients are zero.
  expect(await predict(job, runOf(1e-5, [0.9, 0.999], 3), bf16)).toEqual(
    [2, 3].map((step) => ({ step, changed: 0, nonfinite: 2, predicted: nothing, right: nothing })),
  );
});

test("a run of one step has nothing to predict", async () => {
  const { weights, gradients } = drawnJob(10, 1);
  const job = { tensors: [tensorOf("w", weights, ...gradients)], stepNumbers: [1] };
  expect(await predict(job, runOf(1e-6, [0.9, 0.999], 1), bf16)).toEqual([]);
});

describe("on noise at the usual settings", async () => {
  const elements = 20_000;
  const run = runOf(1e-6, [0.9, 0.999], 30);
  const { tensors, stepNumbers } = syntheticRun({
    preset: null,
    model: null,
    elements,
    sigma: 0.028,
    weightFormat: "bf16",
    queryKeyShape: null,
    run,
    source: "gradients",
    gradientNorm: 1,
    clip: 1,
    scaleSpread: 0,
  });
  const steps = await predict({ tensors, stepNumbers }, run, bf16);
  const settled = steps.filter(({ step }) => step > 10);

  test("a step changes what steps change", () => {
    const changed = settled.reduce((sum, step) => sum + step.changed, 0) / (elements * settled.length);
    expect(changed).toBeGreaterThan(0.0055);
    expect(changed).toBeLessThan(0.0075);
  });

  test("the ulp rule on the moments finds the quarter that others found, and is mostly right", () => {
    const { recall, precision } = outcome(settled, "ulp-rule", "moments");
    expect(recall).toBeGreaterThan(0.2);
    expect(recall).toBeLessThan(0.3);
    expect(precision).toBeGreaterThan(0.82);
    expect(precision).toBeLessThan(0.92);
  });

  test("the update itself does not help it; the residual does", () => {
    expect(outcome(settled, "ulp-rule", "gradient").recall).toBeLessThan(0.3);
    expect(outcome(settled, "one-step", "gradient").recall).toBeLessThan(0.4);
    expect(outcome(settled, "residual", "moments").recall).toBeGreaterThan(0.75);
  });

  test("the residual and the update leave nothing to chance", () => {
    expect(outcome(steps, "residual", "gradient")).toMatchObject({ recall: 1, precision: 1 });
  });

  test("what a gradient can reach holds what it reached, and little else", () => {
    const { recall, predicted } = outcome(steps, "reach", "moments");
    expect(recall).toBeGreaterThan(0.999);
    expect(predicted / (elements * steps.length)).toBeLessThan(0.04);
  });
});

describe("recorded gradients", () => {
  const windows = [
    ["rlvr/early", 1e-5],
    ["sft/early", 1e-4],
    ["opd/early", 1e-5],
  ] as const;

  test.each(windows.slice(0, sized({ quick: 1, full: windows.length })))(
    "%s: what changes is what the recorded updates changed",
    async (window, lr) => {
      const folder = recorded(window);
      const gradients = await openRecording({ ...(await recordedRun(folder, "gradients")), of: "gradient" });
      const updates = await openRecording(await recordedRun(folder));
      const run = runOf(lr, [0.9, 0.95], gradients.stepNumbers.length);
      const steps = await predict(gradients, run, bf16);
      const cases = [updateSettings({ format: "bf16", scheme: "master" })];
      const [tally] = await reference.run({ ...updates, cases });
      await Promise.all([gradients.close(), updates.close()]);
      const moved = summarizeCase(tally).steps.slice(1);
      expect(steps.map(({ step, changed }) => [step, changed])).toEqual(
        moved.map(({ step, moved }) => [step, moved]),
      );
      expect(outcome(steps, "residual", "gradient")).toMatchObject({ recall: 1, precision: 1 });
      expect(outcome(steps, "reach", "moments").recall).toBeGreaterThan(0.999);
    },
  );
});

test("gradients that cannot be read are told", async () => {
  const broken: Values = { ...valuesOf([1]), read: () => Promise.reject(new Error("gone")) };
  const tensors = [{ name: "w", shape: [1], weights: valuesOf([1]), updates: [valuesOf([1]), broken] }];
  await expect(predict({ tensors, stepNumbers: [1, 2] }, runOf(1e-6, [0.9, 0.999], 2), bf16)).rejects.toThrow(
    "gone",
  );
});
