import { describe, expect, it } from "vitest";
import { drawFrom, gaussian, student4 } from "../../src/update/distribution.js";
import { adamw } from "../../src/update/optimizer.js";
import {
  AdamwStep,
  gradientOf,
  learningRate,
  noiseKey,
  type Schedule,
  SimulatedChunk,
  type SimulatedRun,
  type SimulatedTensor,
  signalKey,
  signalOf,
} from "../../src/update/simulated-adamw.js";
import { randomBits, stepKey, tensorKey } from "../../src/update/threefry.js";
import { toBfloat16 } from "../support/bfloat16.js";
import { adamwInFp32, f } from "../support/recipes-by-hand.js";
import { gaussian as boxMuller } from "../support/values.js";

function runOf({ optimizer, ...changes }: Partial<SimulatedRun> = {}): SimulatedRun {
  return {
    optimizer: { lr: 1e-6, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, ...optimizer },
    schedule: "constant",
    warmup: 0,
    steps: 20,
    noise: gaussian,
    snr: 0,
    seed: 7,
    ...changes,
  };
}

function tensorOf(run: SimulatedRun, gradientScale = 1e-4): SimulatedTensor {
  return { run, name: "w", gradientScale };
}

const someWeights = (length: number) => {
  const normal = boxMuller(3);
  return Float32Array.from({ length }, () => 0.02 * normal());
};

/** Draws as they are specified: the signal by a step that no run has, both by a draw that no rounding takes. */
function gradientByHand({ run, name, gradientScale }: SimulatedTensor, t: number, element: number): number {
  const bits = (step: number) => randomBits(stepKey(tensorKey(run.seed, name), step), element, 4095);
  const signal = run.snr === 0 ? 0 : f(f(run.snr) * drawFrom(gaussian, bits(0xfffffffe)));
  return f(f(gradientScale) * f(drawFrom(run.noise, bits(t)) + signal));
}

/** All updates of the first elements, step by step. */
function updatesOf(tensor: SimulatedTensor, weights: Float32Array, start = 0): Float32Array[] {
  const chunk = new SimulatedChunk(tensor, start, weights.slice());
  return Array.from({ length: tensor.run.steps }, () => {
    const into = new Float32Array(weights.length);
    chunk.step(into);
    return into;
  });
}

describe("SimulatedChunk", () => {
  const runs: readonly [string, Partial<SimulatedRun>, number][] = [
    ["noise", {}, 1e-4],
    ["weight decay", { optimizer: { lr: 1e-3, betas: [0.9, 0.95], weightDecay: 0.1 } }, 1e-4],
    ["a signal, heavy tails", { snr: 0.25, noise: student4 }, 1],
    [
      "an epsilon as large as the gradients",
      { optimizer: { lr: 1e-6, eps: 1e-5, betas: [0.9, 0.98] } },
      1e-5,
    ],
    [
      "warm-up and cosine",
      { schedule: "cosine", warmup: 5, optimizer: { lr: 3e-4, weightDecay: 0.1 } },
      1e-4,
    ],
    ["linear, little momentum", { schedule: "linear", optimizer: { lr: 1e-4, betas: [0.3, 0.9] } }, 1e-4],
  ];

  it.each(runs)("gives AdamW's updates in fp32 to the bit: %s", (_, changes, scale) => {
    const run = runOf(changes);
    const tensor = tensorOf(run, scale);
    const [length, start] = [40, 1001];
    const weights = someWeights(length);
    const found = updatesOf(tensor, weights, start);
    const { betas, eps, weightDecay: wd } = run.optimizer;
    for (let i = 0; i < length; i++) {
      let [P, M, V] = [weights[i], 0, 0];
      for (let t = 1; t <= run.steps; t++) {
        const settings = { lr: learningRate(run, t), b1: betas![0], b2: betas![1], eps: eps!, wd: wd! };
        const next = adamwInFp32(P, M, V, gradientByHand(tensor, t, start + i), t, settings);
        [M, V] = [next.M, next.V];
        const adaptive = f(f(next.step * M) / f(next.d + f(eps!)));
        const update = f(adaptive + f(f(-(settings.lr * wd!)) * P));
        expect(found[t - 1][i]).toBe(update);
        P = f(P + update);
      }
    }
  });

  it("added up without weight decay, they are the weights of the fp32 recipe", () => {
    const run = runOf({ snr: 0.1, steps: 50 });
    const tensor = tensorOf(run);
    const weights = someWeights(64);
    const optimizer = adamw({ ...run.optimizer, recipe: "fp32", format: "fp32" });
    let state = optimizer.init(weights);
    for (const [i, updates] of updatesOf(tensor, weights).entries()) {
      const before = state.values.p;
      state = optimizer.step(
        state,
        before.map((_, element) => gradientByHand(tensor, i + 1, element)),
      );
      expect(state.values.p).toEqual(before.map((p, j) => p + updates[j]));
    }
  });

  it("shrinks by weight decay what an fp32 run would have come to", () => {
    const updates = (weightDecay: number) =>
      updatesOf(
        tensorOf(runOf({ optimizer: { lr: 1e-2, betas: [0.9, 0.999], weightDecay }, steps: 30 })),
        someWeights(64),
      );
    const [plain, decayed] = [updates(0), updates(0.1)];
    for (let i = 0; i < 64; i++) {
      let weight = someWeights(64)[i];
      for (let t = 0; t < 30; t++) {
        // Beside the rounding of a sum of about lr: the gradients do not depend on the weights.
        const shrunk = decayed[t][i] - plain[t][i];
        expect(Math.abs(shrunk + 1e-3 * weight)).toBeLessThan(2e-9);
        weight += decayed[t][i];
      }
    }
  });

  it("moves every weight by the learning rate in the first step, if epsilon is tiny", () => {
    const tensor = tensorOf(runOf({ optimizer: { lr: 1e-6, betas: [0.9, 0.999], eps: 1e-30 } }));
    const [first] = updatesOf(tensor, new Float32Array(2000));
    for (const [i, update] of first.entries()) {
      expect(Math.sign(update)).toBe(-Math.sign(gradientByHand(tensor, 1, i)));
      // Seven roundings lie between.
      expect(Math.abs(Math.abs(update) / 1e-6 - 1)).toBeLessThan(8 * 2 ** -24);
    }
  });

  it("moves weights by .59 of the learning rate in the first five steps and by .183 later, on average", () => {
    const n = 2000;
    const steps = updatesOf(tensorOf(runOf({ steps: 250 })), new Float32Array(n)).map((updates) =>
      updates.reduce((sum, u) => sum + Math.abs(u) / 1e-6 / n, 0),
    );
    const mean = (list: readonly number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;
    // Half of the last digit, and three standard errors: |u| / lr has a deviation below .4, and of steps
    // that are alike only the one is counted.
    expect(Math.abs(mean(steps.slice(0, 5)) - 0.59)).toBeLessThan(0.005 + (3 * 0.4) / Math.sqrt(n));
    // 150 steps of momentum .9 are as good as 7 that are independent; the deviation is .139.
    expect(Math.abs(mean(steps.slice(100)) - 0.183)).toBeLessThan(0.0005 + (3 * 0.139) / Math.sqrt(7 * n));
  });

  it.each([
    [1e-6, 0.0196, 0.00005],
    [3e-6, 0.0392, 0.00005],
    [1e-5, 0.155, 0.0005],
    [1e-4, 0.88, 0.005],
  ])("the first step at %s changes %s of bf16 weights of sigma .02", (lr, share, half) => {
    const n = 2 ** 16;
    const normal = boxMuller(11);
    const weights = Float32Array.from({ length: n }, () => toBfloat16(f(0.02 * normal())));
    const chunk = new SimulatedChunk(
      tensorOf(runOf({ optimizer: { lr, betas: [0.9, 0.999] } }), 1),
      0,
      weights.slice(),
    );
    const updates = new Float32Array(n);
    chunk.step(updates);
    const changed = weights.reduce((sum, w, i) => sum + (toBfloat16(f(w + updates[i])) === w ? 0 : 1), 0);
    expect(Math.abs(changed / n - share)).toBeLessThan(half + 3 * Math.sqrt((share * (1 - share)) / n));
  });

  it("draws gradients with the signal-to-noise ratio asked for", () => {
    const [n, steps, snr] = [2000, 40, 0.5];
    const tensor = tensorOf(runOf({ snr, steps }), 3);
    let [total, between] = [0, 0];
    for (let i = 0; i < n; i++) {
      const signal = signalOf(tensor, signalKey(tensor), i);
      let sum = 0;
      for (let t = 1; t <= steps; t++) {
        const gradient = gradientOf(tensor, noiseKey(tensor, t), i, signal) / 3;
        sum += gradient;
        total += gradient ** 2 / (n * steps);
      }
      between += (sum / steps) ** 2 / n;
    }
    // Mean squares: 1 + snr^2 of a gradient, snr^2 + 1 / steps of a weight's mean; a variance is known to sqrt(2 / n).
    expect(Math.abs(total - (1 + snr ** 2))).toBeLessThan(
      4 * Math.sqrt(2 / n) * snr ** 2 + 4 * Math.sqrt(2 / (n * steps)),
    );
    expect(Math.abs(between - (snr ** 2 + 1 / steps))).toBeLessThan(
      4 * Math.sqrt(2 / n) * (snr ** 2 + 1 / steps),
    );
  });
});

describe("AdamwStep", () => {
  it("tells the scalars of its step: the learning rate as scheduled, and what follows from it", () => {
    const step = new AdamwStep(runOf({ warmup: 4, optimizer: { lr: 8, betas: [0.5, 0.75] } }));
    for (const [t, lr] of [
      [1, 2],
      [2, 4],
    ]) {
      step.begin(t);
      expect([step.scalar("lr"), step.scalar("b1"), step.scalar("t")]).toEqual([lr, 0.5, t]);
      // The bias correction of m is 1/2, then 3/4.
      expect(step.scalar("s")).toBe(Math.fround(-lr / (1 - 0.5 ** t)));
    }
  });
});

describe("learningRate", () => {
  const rates = (schedule: Schedule, warmup: number, steps: number) => {
    const run = runOf({ schedule, warmup, steps, optimizer: { lr: 8 } });
    return Array.from({ length: steps }, (_, i) => learningRate(run, i + 1));
  };

  it("constant, linear and cosine from the peak down", () => {
    expect(rates("constant", 0, 4)).toEqual([8, 8, 8, 8]);
    expect(rates("linear", 0, 4)).toEqual([8, 6, 4, 2]);
    const cosine = [0, 1, 2, 3].map((gone) => 4 * (1 + Math.cos((Math.PI * gone) / 4)));
    for (const [i, rate] of rates("cosine", 0, 4).entries()) expect(rate).toBeCloseTo(cosine[i], 14);
  });

  it("after a linear warm-up that ends at the peak", () => {
    expect(rates("constant", 4, 6)).toEqual([2, 4, 6, 8, 8, 8]);
    expect(rates("linear", 2, 6)).toEqual([4, 8, 8, 6, 4, 2]);
    const [one, two, peak, middle] = rates("cosine", 2, 4);
    expect([one, two, peak, middle]).toEqual([4, 8, 8, 4]);
  });

  it("with a warm-up as long as the run, or longer", () => {
    expect(rates("cosine", 4, 4)).toEqual([2, 4, 6, 8]);
    expect(rates("linear", 8, 4)).toEqual([1, 2, 3, 4]);
  });
});
