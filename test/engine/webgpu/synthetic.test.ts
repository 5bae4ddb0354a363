import { afterAll, beforeAll, expect, it } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import { piecesOf } from "../../../src/engine/plan-tensor.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { sourceGroups } from "../../../src/engine/webgpu/sources.js";
import { webGpuEngine } from "../../../src/engine/webgpu/webgpu.js";
import { originOf, type Values } from "../../../src/lens/input.js";
import { models } from "../../../src/source/synthetic/models.js";
import { student4 } from "../../../src/update/distribution.js";
import { updateSettings } from "../../../src/update/settings.js";
import { prepareDawn } from "../../support/dawn.js";
import { expectEqual } from "../../support/mismatches.js";
import { outcomeOf } from "../../support/outcome.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { syntheticJob, syntheticSettings } from "../../support/synthetic.js";
import { fullTier, sized } from "../../support/tier.js";
import { tensorOf } from "../../support/values.js";

const qwen = models.get("qwen2.5-0.5b")!;
const elements = sized({ quick: 4096 + 13, full: 100_000 });

/** Runs that draw in every way there is. */
const runs = {
  "a signal, heavy tails, weight decay, a cosine after a warm-up, fp32 weights": syntheticSettings(
    {
      optimizer: { lr: 1e-4, betas: [0.8, 0.95], eps: 1e-6, weightDecay: 0.1 },
      schedule: "cosine",
      warmup: 2,
      noise: student4,
      snr: 0.3,
      steps: sized({ quick: 3, full: 6 }),
      seed: 2 ** 45 + 7,
    },
    { elements, sigma: 0.05, weightFormat: "fp32" },
  ),
  "the other branch of lerp, weights stored as e4m3fn": syntheticSettings(
    { optimizer: { lr: 1e-3, betas: [0.4, 0.9] }, steps: 2 },
    { elements, weightFormat: "e4m3fn" },
  ),
  "settled updates over a model: tensors of many sizes, gains, heavier heads": syntheticSettings(
    { seed: 3, steps: 2 },
    {
      model: { ...qwen, layers: 1 },
      elements: sized({ quick: 2003, full: 30_011 }),
      queryKeyShape: 1.13,
      scaleSpread: 1,
      source: "steady-state",
    },
  ),
} as const;

describeNeeding(requirements.vulkan, "synthetic runs on the webgpu engine", () => {
  const cases = [updateSettings({ format: "bf16", scheme: "master" }), updateSettings({ format: "bf16" })];
  let engine: Engine;
  beforeAll(() => {
    prepareDawn();
    engine = webGpuEngine();
  });
  afterAll(() => engine.close?.());

  // The quick tier has the first way to draw gradients and the last, which draws updates.
  const [first, other, last] = Object.entries(runs);
  it.each(sized({ quick: [first, last], full: [first, other, last] }))(
    "%s: made on the device, the reference's counts and bits",
    async (_, settings) => {
      // A kernel takes SwiftShader seconds to compile; webgpu.test.ts has those of a master.
      const counted = sized({ quick: cases.slice(1), full: cases });
      const job = { ...syntheticJob(settings), cases: counted, milestones: [0] };
      for (const { weights, updates } of sourceGroups(job.tensors)) {
        expect(updates.kind).not.toBe("uploaded");
        expect(weights === null).toBe(originOf(job.tensors[0].weights, "weights") === undefined);
      }
      // Numbers that the device makes are not asked for.
      const refused = async () => expect.fail("numbers were read");
      const unread = job.tensors.map((tensor) => {
        const weights = { ...tensor.weights, read: refused };
        const updates = tensor.updates.map((values): Values => {
          const step = originOf(values, "simulated");
          const origin = step && { kind: "simulated" as const, of: { ...step, weights } };
          return { ...values, read: refused, ...(origin && { origin }) };
        });
        return { ...tensor, weights, updates };
      });
      expectEqual(await outcomeOf(engine, { ...job, tensors: unread }), await outcomeOf(reference, job));
    },
  );

  it("beside numbers that are given, and steps that are not all of one simulation", async () => {
    const drawn = syntheticJob(syntheticSettings({ steps: 2 }, { elements: 999, source: "steady-state" }));
    const simulated = syntheticJob(syntheticSettings({ steps: 2 }, { elements: 999 }));
    const [tensor] = simulated.tensors;
    const tensors = [
      tensorOf("given", [0.5, -3, 2 ** -20], [1e-3, 0, 2 ** -21], [1, 2, 3]),
      ...drawn.tensors,
      { ...tensor, name: "turned", updates: tensor.updates.toReversed() },
    ];
    expect(sourceGroups(tensors).map(({ updates }) => updates.kind)).toEqual([
      "uploaded",
      "drawn",
      "uploaded",
    ]);
    const job = { tensors, stepNumbers: drawn.stepNumbers, cases: cases.slice(1) };
    expectEqual(await outcomeOf(engine, job), await outcomeOf(reference, job));
  });

  if (fullTier)
    it.each(["adamw", "steady-state"] as const)("a piece from the middle of a tensor: %s", async (source) => {
      const { tensors, stepNumbers } = syntheticJob(
        syntheticSettings({ steps: 2 }, { elements: 9000, source }),
      );
      const stochastic = updateSettings({ format: "bf16", rounding: "stochastic", seed: 1 });
      const job = { tensors: piecesOf(tensors, [[0, 4096, 8192]]), stepNumbers, cases: [stochastic] };
      expectEqual(await outcomeOf(engine, job), await outcomeOf(reference, job));
    });
});
