/** Synthetic runs with settings at the edge of what there is, and which of their tensors workers may take. */

import { afterAll, describe, expect, it } from "vitest";
import type { LensJob } from "../../../src/engine/engine.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { forWorkers, runThreaded } from "../../../src/engine/wasm/threaded.js";
import { wasm } from "../../../src/engine/wasm/wasm.js";
import { format } from "../../../src/format/registry.js";
import { originOf, type TensorInput } from "../../../src/lens/input.js";
import { drawnWeights, simulatedUpdates } from "../../../src/lens/run/simulated.js";
import { models } from "../../../src/source/synthetic/models.js";
import { syntheticRun } from "../../../src/source/synthetic/synthetic-run.js";
import { student4 } from "../../../src/update/distribution.js";
import { type UpdateSettings, updateSettings } from "../../../src/update/settings.js";
import type { SimulatedRun } from "../../../src/update/simulated-adamw.js";
import { expectEqual } from "../../support/mismatches.js";
import { outcomeOf } from "../../support/outcome.js";
import { syntheticJob, syntheticSettings } from "../../support/synthetic.js";
import { sized } from "../../support/tier.js";
import { gaussianRun, tensorOf, valuesOf } from "../../support/values.js";

afterAll(() => wasm.close!());

type Others = Parameters<typeof syntheticSettings>[1];

/** An embedding of several chunks, norms and biases of lengths that no group of eight divides. */
const tiny = {
  ...models.get("qwen2.5-7b")!,
  name: "tiny",
  hidden: 23,
  layers: 1,
  heads: 3,
  keyValueHeads: 1,
  headSize: 5,
  intermediate: 31,
  vocabulary: 601,
  tied: true,
  headNorms: true,
};
const ofTiny = { model: tiny, elements: null };

const cases = [
  updateSettings({ format: "bf16" }),
  updateSettings({ format: "bf16", scheme: "master" }),
  updateSettings({ format: "bf16", rounding: "stochastic", seed: 3 }),
];

const onThreads = (threads: number, chunk: number) => ({
  run: (job: LensJob, observer?: Parameters<typeof wasm.run>[1]) =>
    runThreaded({ ...job, cases: job.cases as UpdateSettings[], chunk }, threads, observer),
});

/** Of one chunk, or of two: of several are those of a model, and those of synthetic.test.ts. */
const elements = sized({ quick: 1024 + 13, full: 4096 + 13 });

function jobOf(run: Partial<SimulatedRun> = {}, others: Others = {}): LensJob {
  const job = syntheticJob(syntheticSettings(run, { elements, ...others }));
  return { ...job, cases, milestones: [0] };
}

const adam = (options: Partial<SimulatedRun["optimizer"]>): Partial<SimulatedRun> => ({
  steps: 5,
  optimizer: { lr: 1e-4, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, ...options },
});

describe("the reference's outcome on threads", () => {
  const runs: readonly (readonly [string, Partial<SimulatedRun>, Others])[] = [
    ["a seed of two words", { seed: 2 ** 52 + 11 }, {}],
    ["heavy tails", { noise: student4 }, {}],
    ["a signal above the noise, heavy tails", { snr: 3, noise: student4 }, {}],
    ["weight decay alone moves weights", adam({ lr: 1e-30, weightDecay: 1e27 }), {}],
    ["no momentum", adam({ betas: [0, 0.9] }), {}],
    ["no moments", adam({ betas: [0, 0] }), {}],
    ["both branches' edge", adam({ betas: [0.5, 0.5] }), {}],
    ["an epsilon that counts", adam({ eps: 1e-2 }), {}],
    ["no epsilon", adam({ eps: 0 }), {}],
    ["a rate that rises to the last step", { schedule: "linear", warmup: 5, steps: 6 }, {}],
    ["gradients whose squares are subnormal", adam({}), { gradientNorm: 1e-18 }],
    ["gradients that underflow", adam({}), { gradientNorm: 1e-43 }],
    ["gradients whose squares overflow", adam({}), { gradientNorm: 1e25, clip: null }],
    ["weights that overflow e4m3fn", {}, { weightFormat: "e4m3fn", sigma: 200 }],
    ["weights that are all zero", {}, { weightFormat: "e4m3fn", sigma: 1e-6 }],
    ["weights that are subnormal", {}, { sigma: 1e-40 }],
    ["one step of one weight", { steps: 1 }, { elements: 1 }],
    ["scales apart, heavier heads", { snr: 0.1 }, { ...ofTiny, scaleSpread: 2, queryKeyShape: 1.2 }],
    ["a table over a model", {}, { ...ofTiny, source: "steady-state" }],
  ];

  it.each(runs)("%s", async (_, run, others) => {
    const job = jobOf(run, others);
    expect(job.tensors.every(forWorkers(job))).toBe(true);
    expectEqual(await outcomeOf(onThreads(2, 4096), job), await outcomeOf(reference, job));
  });

  it("lengths that no group of eight divides, and several chunks, are among them", () => {
    const lengths = jobOf({}, ofTiny).tensors.map(({ weights }) => weights.length);
    expect(lengths.filter((length) => length % 8 > 0).length).toBeGreaterThan(5);
    expect(Math.max(...lengths)).toBeGreaterThan(3 * 4096);
  });

  it("weights move, stay, come back, and cannot be counted", async () => {
    const [inPlace, master] = await outcomeOf(onThreads(2, 4096), jobOf({ steps: 40 }));
    const { totals, end } = inPlace.result;
    expect(Math.min(totals.moved, totals.lost, end.hidden)).toBeGreaterThan(50);
    expect(Math.min(master.result.totals.kept, master.result.end.returned)).toBeGreaterThan(50);
    const [overflowing] = await outcomeOf(
      onThreads(2, 4096),
      jobOf({}, { weightFormat: "e4m3fn", sigma: 200 }),
    );
    expect(overflowing.result.totals.nonfinite).toBeGreaterThan(50);
  });

  it("weights of a checkpoint, in memory that threads share", async () => {
    const n = 4096 + 5;
    const { weights } = gaussianRun(5, n, 0);
    const memory = new SharedArrayBuffer(4 * n);
    new Float32Array(memory).set(weights);
    const stored = { in: memory, byteOffset: 0, format: format("fp32") };
    const given = {
      name: "w",
      size: 3 * n,
      shape: [n],
      weights: { ...valuesOf(weights), origin: { kind: "stored" as const, of: stored } },
    };
    const decays = syntheticSettings(adam({ weightDecay: 10 }));
    const job = { ...syntheticRun(decays, [given]), cases };
    expect(job.tensors.every(forWorkers(job))).toBe(true);
    expectEqual(await outcomeOf(onThreads(2, 4096), job), await outcomeOf(reference, job));
  });
});

describe("which tensors workers take", () => {
  const taken = (...tensors: readonly TensorInput[]) => {
    const stepNumbers = tensors[0].updates.map((_, i) => i + 1);
    return tensors.map(forWorkers({ tensors, stepNumbers, cases }));
  };
  const [first, second] = jobOf({}, ofTiny).tensors;
  const [drawn, drawnToo] = jobOf({}, { ...ofTiny, source: "steady-state" }).tensors;

  it("those of the first run and of the first table", () => {
    const [ofOtherRun] = jobOf({ seed: 8 }).tensors;
    expect(taken(first, ofOtherRun, second)).toEqual([true, false, true]);
    const [ofOtherTable] = jobOf({}, { source: "steady-state" }).tensors;
    expect(taken(drawn, ofOtherTable, drawnToo)).toEqual([true, false, true]);
    expect(taken(first, drawn, second, drawnToo)).toEqual([true, true, true, true]);
  });

  it("not steps of two kinds, in another order, or of two tensors", () => {
    const { updates } = first;
    const steps = {
      mixed: [drawn.updates[0], ...updates.slice(1)],
      reversed: [...updates].reverse(),
      late: updates.slice(1),
      ofTwo: [updates[0], ...second.updates.slice(1)],
    };
    for (const [what, changed] of Object.entries(steps))
      expect(taken(first, drawn, { ...first, updates: changed }), what).toEqual([true, true, false]);
    // Of a run that goes on after the job, its first steps.
    expect(taken({ ...first, updates: updates.slice(0, 2) })).toEqual([true]);
  });

  it("not over weights that no worker can have, or other weights than were simulated", () => {
    expect(taken(first, { ...first, weights: valuesOf([1, 2, 3]) })).toEqual([true, false]);
    const others = drawnWeights(first.weights.length, { ...originOf(first.weights, "weights")!, sigma: 1 });
    expect(taken(first, { ...first, weights: others })).toEqual([true, false]);
    const { of: tensor } = originOf(first.updates[0], "simulated")!;
    expect(taken(first, { ...first, weights: others, updates: simulatedUpdates(tensor, others) })).toEqual([
      true,
      true,
    ]);
  });

  it("the others are the main thread's, in one job", async () => {
    // As many weight-steps of all cases as threads are worth; of cases, since they cost least.
    const [elements, times] = sized({ quick: [2 ** 16, 32], full: [2 ** 18, 8] });
    const large = jobOf({ steps: 2 }, { elements });
    const { weights, updates } = gaussianRun(3, 1000, 2);
    const [other] = jobOf({ steps: 2, seed: 9, snr: 1 }).tensors;
    const [steady] = jobOf({ steps: 2 }, { source: "steady-state" }).tensors;
    const tensors = [
      tensorOf("in memory", weights, ...updates),
      ...large.tensors,
      { ...other, name: "of another run" },
      { ...steady, name: "of a table" },
    ];
    expect(taken(...tensors)).toEqual([false, true, false, true]);
    const job = { ...large, tensors, milestones: [1], cases: Array(times).fill(cases[1]), threads: 2 };
    const [expected] = await outcomeOf(reference, { ...job, cases: [cases[1]] });
    expectEqual(await outcomeOf(wasm, job), Array(times).fill(expected));
  });
});
