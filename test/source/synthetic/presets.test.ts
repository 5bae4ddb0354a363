import { expect, it } from "vitest";
import { presets } from "../../../src/source/synthetic/presets.js";

/** As frameworks and papers have them; docs/simulation.md names each source. */
it.each([
  ["rlvr", { lr: 1e-6, betas: [0.9, 0.999], weightDecay: 0.01, schedule: "constant", warmup: 0 }],
  ["sft", { lr: 1e-5, betas: [0.9, 0.95], weightDecay: 0.1, schedule: "cosine", steps: 5375 }],
  ["opd", { lr: 1e-6, betas: [0.9, 0.98], weightDecay: 0.1, schedule: "constant", steps: 299 }],
  ["pretrain", { lr: 3e-4, betas: [0.9, 0.95], weightDecay: 0.1 }],
])("%s trains as published", (name, published) => {
  expect(presets.get(name)).toMatchObject({ name, ...published });
});

it("there are no others, and each can run: a warm-up shorter than the run", () => {
  expect([...presets.keys()]).toEqual(["rlvr", "sft", "opd", "pretrain"]);
  for (const { warmup, steps } of presets.values()) expect(warmup).toBeLessThan(steps);
});
