import { afterAll, beforeAll, expect, it } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import { piecesOf } from "../../../src/engine/plan-tensor.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { updateSettings } from "../../../src/update/settings.js";
import { prepareDawn } from "../../support/dawn.js";
import { openGpu } from "../../support/gpu/jobs.js";
import { outcomeOf } from "../../support/outcome.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { syntheticJob, syntheticSettings } from "../../support/synthetic.js";

describeNeeding(requirements.vulkan, "synthetic runs on the gpujs engine, webgpu in Node", () => {
  const cases = [
    updateSettings({ format: "bf16" }),
    updateSettings({ format: "bf16", scheme: "master", rounding: "stochastic", seed: 4 }),
  ];
  let engine: Engine;
  beforeAll(async () => {
    prepareDawn();
    engine = await openGpu("gpujs webgpu");
  });
  afterAll(() => engine.close?.());

  const run = { steps: 3, seed: 2 };

  it.each([
    ["settled updates, drawn on the device", syntheticSettings(run, { source: "steady-state" }), null],
    ["AdamW's, computed on the CPU and uploaded", syntheticSettings({ ...run, snr: 0.5 }), /on the CPU/],
  ] as const)("%s: the reference's counts, curves and bits", async (_, settings, remark) => {
    const job = { ...syntheticJob(settings), cases, milestones: [0, 2] };
    let handedOver = 0;
    const counted = await outcomeOf(
      {
        run: (given, observer) =>
          engine.run(given, {
            ...observer,
            handedOver: (weightSteps) => {
              handedOver = weightSteps;
            },
          }),
      },
      job,
    );
    expect(counted).toEqual(await outcomeOf(reference, job));
    expect(handedOver).toBe(0);
    if (remark === null) expect(engine.remark!(job)).toBeNull();
    else expect(engine.remark!(job)).toMatch(remark);
  });

  it("a piece from the middle of a tensor", async () => {
    const { tensors, stepNumbers } = syntheticJob(syntheticSettings({ steps: 2 }, { elements: 9000 }));
    const job = { tensors: piecesOf(tensors, [[0, 4096, 8192]]), stepNumbers, cases };
    expect(await outcomeOf(engine, job)).toEqual(await outcomeOf(reference, job));
  });
});
