import { expect, test } from "vitest";
import { predict } from "../../../src/engine/predict.js";
import { blockFormat } from "../../../src/format/block/block-format.js";
import { quantize } from "../../../src/format/block/quantize.js";
import { ruleOutcomes } from "../../../src/lens/study/prediction.js";
import { gaussian as gaussianDraws } from "../../../src/update/distribution.js";
import { AdamwStep, type SimulatedRun } from "../../../src/update/simulated-adamw.js";
import { gaussian, tensorOf } from "../../support/values.js";
import { nearestCode, numberOf } from "./by-hand.js";

const steps = 5;
const run: SimulatedRun = {
  optimizer: { lr: 3e-4, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0 },
  schedule: "constant",
  warmup: 0,
  steps,
  noise: gaussianDraws,
  snr: 0,
  seed: 0,
};

test.each(["mxfp8-e4m3", "mxfp4:rceil", "nvfp4", "fp8-128x128"])(
  "%s: what changes is the code, and the residual rule asks for it under the scales before the step",
  async (name) => {
    const shape = [7, 90];
    const length = 630;
    const normal = gaussian(11);
    const weights = Float32Array.from({ length }, () => 0.03 * normal());
    const gradients = Array.from({ length: steps }, () => Float32Array.from({ length }, () => normal()));
    const tensor = { ...tensorOf("w", weights, ...gradients), shape };
    const format = blockFormat(name);
    const element = format.element.name;
    const found = await predict({ tensors: [tensor], stepNumbers: [1, 2, 3, 4, 5] }, run, format);

    const [m, v] = [new Float32Array(length), new Float32Array(length)];
    const master = weights.slice();
    const adamw = new AdamwStep(run);
    for (let t = 1; t <= steps; t++) {
      adamw.begin(t);
      const before = quantize(master, shape, format);
      const step = master.slice();
      for (let i = 0; i < length; i++) master[i] += adamw.apply(i, gradients[t - 1][i], step[i], m, v);
      const after = quantize(master, shape, format);
      if (t === 1) continue;
      const isOther = (a: number, b: number) => numberOf(a, element) !== numberOf(b, element);
      const changed = [...after.codes].map((code, i) => isOther(code, before.codes[i]));
      expect(found[t - 2].changed).toBe(changed.filter(Boolean).length);
      if (name !== "mxfp4:rceil") continue;
      // The scale of each number's block before the step, a power of two.
      const scaleOf = (i: number) =>
        2 ** (before.scales[3 * Math.floor(i / 90) + Math.floor((i % 90) / 32)] - 127);
      const named = [...master].map((x, i) =>
        isOther(nearestCode(Math.fround(x / scaleOf(i)), element), before.codes[i]),
      );
      const residual = 6;
      expect(found[t - 2].predicted[residual]).toBe(named.filter(Boolean).length);
      expect(found[t - 2].right[residual]).toBe(named.filter((is, i) => is && changed[i]).length);
    }
    const [knowing] = ruleOutcomes(found).filter(
      ({ rule, knows }) => rule === "residual" && knows === "gradient",
    );
    expect(knowing.recall!).toBeGreaterThan(0.5);
  },
);

test.each([
  ["mxfp4", 32],
  ["nvfp4", 64],
])("%s: a NaN takes those along that share its scale", async (name, nonfinite) => {
  // Two rows of 32: two blocks of mxfp4; the scale of the tensor in nvfp4.
  const weights = Float32Array.from({ length: 64 }, (_, i) => (i === 3 ? Number.NaN : 1));
  const zeros = new Float32Array(64);
  const tensor = { ...tensorOf("w", weights, zeros, zeros), shape: [2, 32] };
  const [found] = await predict({ tensors: [tensor], stepNumbers: [1, 2] }, run, blockFormat(name));
  expect(found).toMatchObject({ changed: 0, nonfinite, predicted: Array(7).fill(0) });
});
