import { type SyntheticSettings, syntheticRun } from "../../src/source/synthetic/synthetic-run.js";
import { gaussian } from "../../src/update/distribution.js";
import type { SimulatedRun } from "../../src/update/simulated-adamw.js";

/** Default settings of a small synthetic run. */
export function syntheticSettings(
  run: Partial<SimulatedRun> = {},
  others: Partial<Omit<SyntheticSettings, "run">> = {},
): SyntheticSettings {
  return {
    preset: null,
    model: null,
    elements: 20_000,
    sigma: null,
    weightFormat: "bf16",
    queryKeyShape: null,
    run: {
      optimizer: { lr: 1e-5, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 },
      schedule: "constant",
      warmup: 0,
      steps: 6,
      noise: gaussian,
      snr: 0,
      seed: 0,
      ...run,
    },
    source: "adamw",
    gradientNorm: 1,
    clip: 1,
    scaleSpread: 0,
    ...others,
  };
}

/** Its tensors and steps. */
export function syntheticJob(settings: SyntheticSettings) {
  const { tensors, stepNumbers } = syntheticRun(settings);
  return { tensors, stepNumbers };
}
