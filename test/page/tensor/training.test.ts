import { describe, expect, test } from "vitest";
import { CpuRun } from "../../../src/page/tensor/cpu-run.js";
import { lensPicture } from "../../../src/page/tensor/picture.js";
import type { RunSettings } from "../../../src/page/tensor/run.js";
import { startDraws, Training } from "../../../src/page/tensor/training.js";
import { drawnWeight } from "../../../src/update/weight-draws.js";

const settings: RunSettings = {
  side: 256,
  sigma: 0.028,
  lr: 1e-6,
  betas: [0.9, 0.999],
  signal: 0,
  seed: 1,
  storages: [
    { format: "bf16", scheme: "in-place", rounding: "nearest-even" },
    { format: "bf16", scheme: "master", rounding: "nearest-even" },
    { format: "bf16", scheme: "in-place", rounding: "stochastic" },
  ],
};

describe("the run of the page", () => {
  test("weights are Gaussian of the given size", () => {
    const draws = startDraws(settings);
    const weights = Array.from({ length: settings.side ** 2 }, (_, i) => drawnWeight(draws, i));
    const mean = weights.reduce((sum, w) => sum + w, 0) / weights.length;
    const square = weights.reduce((sum, w) => sum + w * w, 0) / weights.length;
    expect(Math.abs(mean)).toBeLessThan(0.0005);
    expect(Math.sqrt(square)).toBeCloseTo(0.028, 3);
  });

  test("the first step of AdamW is the learning rate in size, then smaller ones", () => {
    const training = new Training(settings);
    const updates = new Float32Array(settings.side ** 2);
    training.step(updates);
    expect(Math.min(...updates.map(Math.abs))).toBeGreaterThan(0.99e-6);
    expect(Math.max(...updates.map(Math.abs))).toBeLessThan(1.01e-6);
    while (training.t < 100) training.step(updates);
    const mean = updates.reduce((sum, u) => sum + Math.abs(u), 0) / updates.length;
    // Independent simulations with noise gradients give .183.
    expect(mean / 1e-6).toBeCloseTo(0.183, 1);
  });

  test("a signal moves weights the way of the picture", () => {
    const training = new Training({ ...settings, signal: 0.5 });
    const picture = lensPicture(settings.side);
    const updates = new Float32Array(settings.side ** 2);
    const sum = new Float64Array(updates.length);
    while (training.t < 40) {
      training.step(updates);
      for (let i = 0; i < sum.length; i++) sum[i] += updates[i];
    }
    const right = sum.filter((x, i) => Math.sign(x) === picture[i]).length;
    expect(right / sum.length).toBeGreaterThan(0.95);
  });

  test("300 steps of noise give what independent simulations gave", async () => {
    const run = await CpuRun.open(settings);
    await run.advance(300);
    const counts = await run.counts();
    const unchanged = counts.run.map(({ end }) => (100 * end.unchanged) / settings.side ** 2);
    const expected = [98.7, 85.4, 56.1, 0];
    for (const [c, share] of unchanged.entries()) expect(Math.abs(share - expected[c])).toBeLessThan(0.7);
  });
});
