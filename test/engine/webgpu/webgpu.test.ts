import { describe, expect, it } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { type Memory, runOnDevice } from "../../../src/engine/webgpu/run.js";
import { formats } from "../../../src/format/registry.js";
import { roundings } from "../../../src/format/round.js";
import { schemeNames } from "../../../src/update/scheme.js";
import { type UpdateOptions, updateSettings } from "../../../src/update/settings.js";
import { adversarialRun } from "../../support/adversarial.js";
import { expectEqual } from "../../support/mismatches.js";
import { outcomeOf } from "../../support/outcome.js";
import { describeNeeding, requirements, vulkanDriver } from "../../support/requirements.js";
import { fullTier, sized } from "../../support/tier.js";
import { gaussianRun, tensorOf } from "../../support/values.js";
import { withDevice } from "./with-device.js";

// Compiling a kernel takes SwiftShader a second, and so the quick tier has few: each format, scheme and rounding in
// some case, all of them in adversarial.full.test.ts.
describeNeeding(requirements.vulkan, "the webgpu engine counts as the reference", () => {
  const on = withDevice();
  const { engine, expectSame } = on;

  const jobOf = (options: UpdateOptions, elements: number, steps = 2) => {
    const settings = updateSettings({ seed: 2 ** 40 + 7, ...options });
    const { weights, updates } = adversarialRun(settings.format, 11, elements, steps);
    // Beside the end of a block, a part of a group of eight, and a tensor that fills no block.
    const part = updates.map((update) => update.subarray(100, 777));
    return {
      tensors: [
        tensorOf("whole", weights, ...updates),
        tensorOf("part", weights.subarray(100, 777), ...part),
      ],
      stepNumbers: updates.map((_, i) => 3 + i),
      cases: [settings],
      milestones: [0],
    };
  };

  it("names its device", async () => {
    expect(await engine.unavailable?.()).toBeNull();
    if (/swiftshader/.test(vulkanDriver)) expect(engine.device).toMatch(/swiftshader/i);
    expect(engine.device).toMatch(/, by WebGPU, integers$/);
  });

  const names = [...formats.keys()];
  // What is in-place in bf16 the cases beside each other have of the same numbers.
  const some = schemeNames.flatMap((scheme, s): UpdateOptions[] =>
    sized({ quick: s === 0 ? [] : [s], full: [s, s + 4, s + 8] }).map((i) => ({
      format: i === 0 ? "bf16" : names[(3 * i) % names.length],
      scheme,
      rounding: roundings[(2 * i) % roundings.length],
      overflow: i % 2 === 0 ? "ieee" : "saturate",
    })),
  );

  const exact = { format: "tf32", rounding: "toward-negative", opmath: "exact" } as const;
  it.each(sized({ quick: some, full: [...some, exact] }))(
    "%o: subnormals, NaN, Inf, signed zeros and ties, and again on other numbers",
    async (options) => {
      const job = jobOf(options, sized({ quick: 4096 + 299, full: 5 * 4096 + 299 }));
      await expectSame(job);
      const other = { ...job, tensors: [...job.tensors].reverse(), milestones: [1] };
      await expectSame(other);
    },
  );

  it("several cases beside each other, of which all have one fp32 run", async () => {
    const job = jobOf({ format: "bf16" }, 5000);
    const schemes = sized({ quick: ["master", "in-place"], full: ["master", "in-place", "kahan"] } as const);
    const cases = schemes.map((scheme) => updateSettings({ format: "bf16", scheme }));
    await expectSame({ ...job, cases });
  });

  describe("whatever the batches", () => {
    const { weights, updates } = gaussianRun(3, 132_000, 2);
    const job = {
      tensors: [
        tensorOf("large", weights, ...updates),
        tensorOf("one", weights.subarray(7, 8), ...updates.map((update) => update.subarray(7, 8))),
        tensorOf("none", [], [], []),
        tensorOf("small", weights.subarray(0, 4097), ...updates.map((update) => update.subarray(0, 4097))),
      ],
      stepNumbers: [0, 1],
      cases: [updateSettings({ format: "bf16", rounding: "stochastic", seed: 5 })],
      milestones: [0],
    };
    const expected = outcomeOf(reference, job);
    const memory: Memory = { batch: 2 ** 30, counts: 2 ** 24, steps: 2 ** 22 };

    it.each<[string, number | null, Memory]>([
      ["all in one, more than a workgroup's", null, memory],
      ["of a block each", 4096, memory],
      ["of one workgroup, for want of memory", null, { ...memory, batch: 1 }],
      ["of one piece, for want of room for counts", null, { ...memory, counts: 1 }],
      ["whose counts are read after each step", null, { ...memory, steps: 1 }],
    ])("%s", async (_, chunk, limits) => {
      const run: Engine["run"] = (given, observer) => runOnDevice(given, on.device, observer, limits);
      expectEqual(await outcomeOf({ run }, { ...job, ...(chunk !== null && { chunk }) }), await expected);
    });

    it("progress goes up to all weight-steps", async () => {
      const told: number[] = [];
      const small = { ...job, tensors: job.tensors.slice(1), chunk: 4096 };
      await runOnDevice(small, on.device, { progress: (done, total) => void told.push(done / total) });
      expect(told).toEqual(told.toSorted((a, b) => a - b));
      expect(told.at(-1)).toBe(1);
      // Three batches, two steps each.
      expect(told.length).toBe(6);
    });
  });

  if (fullTier)
    it("weights that only fp64 holds are rounded once", async () => {
      const given = [1 + 2 ** -8 + 2 ** -40, 1 + 2 ** -8, 1 / 3, 2 ** -140 + 2 ** -160, 1e300, Number.NaN];
      const cases = (["in-place", "master"] as const).map((scheme) =>
        updateSettings({ format: "bf16", scheme }),
      );
      const zeros = new Float32Array(given.length);
      const job = { tensors: [tensorOf("w", given, zeros)], stepNumbers: [0], cases };
      const theirs = await outcomeOf(reference, job);
      expectEqual(await outcomeOf(engine, job), theirs);
      expect(theirs[0].result.totals.castChanged).toBe(5);
    });

  it("the published probes at their edges", async () => {
    // Around 1e-5, around a thousandth of the larger one, across a binade and across zero.
    const pairs = [0.01, 1, 1.0005, 2, 2 ** -17, 2 ** -126, 1e-5, 3e-6].flatMap((w) =>
      [1e-5, w * 1e-3, w * 1e-3 * (1 - 2 ** -23), (w * 1e-3) / (1 - 1e-3), 2e-5, w, 2 * w].flatMap((d) =>
        [-1, 0, 1, 2].flatMap((ulps) =>
          [-1, 1].map((sign) => {
            const size = Math.fround(d) * (1 + ulps * 2 ** -23);
            return [w, Math.fround(sign * size)] as const;
          }),
        ),
      ),
    );
    const [weights, updates] = [pairs.map(([w]) => w), pairs.map(([, u]) => u)];
    const job = {
      tensors: [tensorOf("pairs", weights, updates)],
      stepNumbers: [0],
      cases: [updateSettings({ format: "fp32" })],
    };
    await expectSame(job);
  });
});
