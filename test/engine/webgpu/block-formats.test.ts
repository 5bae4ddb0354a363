import { expect, it } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import { hardBlockJob } from "../../../src/engine/hard-blocks.js";
import { piecesOf } from "../../../src/engine/plan-tensor.js";
import { type Memory, runOnDevice } from "../../../src/engine/webgpu/run.js";
import { type BlockOptions, type BlockSettings, schemeSettings } from "../../../src/update/block-settings.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { syntheticJob, syntheticSettings } from "../../support/synthetic.js";
import { fullTier, sized } from "../../support/tier.js";
import { valuesOf } from "../../support/values.js";
import { byHand } from "../blocks/by-hand.js";
import { counted, drawnRun, expectCounts } from "../blocks/count.js";
import { withDevice } from "./with-device.js";

/** What shared-scales.test.ts does not have: scales of tensors, blocks of several rows, short blocks, kept scales. */

const master = (name: string, more: Omit<BlockOptions, "format"> = {}) =>
  schemeSettings({ format: name, scheme: "master", ...more }) as BlockSettings;

const tensorOf = (name: string, shape: readonly number[], seed: number, steps = 3) => {
  const { weights, updates } = drawnRun(shape, seed, steps);
  return { name, shape, weights: valuesOf(weights), updates: updates.map(valuesOf) };
};

const names = [
  "nvfp4",
  "nvfp4:transformer-engine",
  "nvfp4-16x16",
  "nvfp4-16x16:torchao",
  "fp8-128x128",
  "fp8-128x128:power-of-two",
];
// Compiling the kernels of a case takes SwiftShader seconds.
const drawn = master("nvfp4-16x16", { through: "bf16", rounding: "stochastic", seed: 5 });

describeNeeding(requirements.vulkan, "the webgpu engine counts every block format as the reference", () => {
  const on = withDevice();
  const { engine, expectSame } = on;

  const usual: Memory = { batch: 2 ** 30, counts: 2 ** 24, steps: 2 ** 22 };
  const within =
    (memory: Partial<Memory>): Engine["run"] =>
    (job, observer) =>
      runOnDevice(job, on.device, observer, { ...usual, ...memory });

  it("hard blocks of tensors with a scale, and blocks of several rows that are short: whole in a batch, and not", async () => {
    const cases = sized({ quick: [drawn], full: [drawn, master("fp8-128x128")] });
    // The hard tensors have a size of number each; all but the last are whole in any batch.
    const { tensors, ...job } = hardBlockJob(drawn);
    const some = sized({ quick: [tensors[3], ...tensors.slice(-2)], full: tensors });
    await expectSame({ ...job, tensors: some, cases });
    const { chunk: _, ...inOne } = job;
    await expectSame({ ...inOne, tensors: some, cases });
  });

  if (!fullTier) return;

  it.each(names)("%s as the rules written out have it", async (name) => {
    for (const [seed, shape] of [[64], [2, 3, 96], [40, 72]].entries()) {
      const run = drawnRun(shape, seed + 1, 3);
      const { steps, numbers } = byHand(run, name, true);
      const ours = await counted(run, { format: name, scheme: "master" }, 4096, engine);
      expectCounts(ours.result, steps);
      expect(ours.numbers).toEqual(numbers);
    }
  });

  it.each(names)("%s: hard blocks, from fp32 and from a bf16 view, with scales kept", async (name) => {
    const cases = [master(name), master(name, { through: "bf16" }), master(name, { scales: "kept" })];
    await expectSame({ ...hardBlockJob(cases[0]), cases });
    await expectSame({ ...hardBlockJob(cases[0]), cases: [cases[2]], milestones: [0, 2] });
  });

  it("MX formats in rows that end in short blocks, and with scales kept", async () => {
    const cases = [master("mxfp8-e5m2"), master("mxfp4:ceil", { scales: "kept", rounding: "to-odd" })];
    const tensors = [
      tensorOf("short", [200, 40], 1),
      tensorOf("shorter", [900, 8], 2),
      tensorOf("row", [72], 3),
    ];
    await expectSame({ tensors, stepNumbers: [0, 1, 2], cases, chunk: 4096 });
  });

  it.each([
    ["all in one", {}, null],
    ["of a piece each", { counts: 1 }, null],
    ["of a block of sums each, and counts of one step", { steps: 1 }, 4096],
    ["of two blocks of sums", {}, 8192],
  ] as const)("several tensors and cases in batches %s", async (_, memory, chunk) => {
    const tensors = [
      tensorOf("large", [300, 136], 1),
      tensorOf("vector", [9000], 2),
      tensorOf("none", [0, 8], 3),
      tensorOf("matrices", [3, 40, 48], 4),
      tensorOf("narrow", [700, 8], 5),
      tensorOf("wide", [3, 6400], 6),
    ];
    const cases = [
      master("fp8-128x128:power-of-two"),
      schemeSettings({ format: "bf16", scheme: "kahan" }),
      master("nvfp4"),
      drawn,
      master("mxfp6-e2m3"),
    ];
    const job = { tensors, stepNumbers: [3, 9, 10], milestones: [1], cases };
    await expectSame({ ...job, ...(chunk !== null && { chunk }) }, within(memory));
  });

  it("a piece from the middle of a tensor, where no block is cut", async () => {
    const tensors = [tensorOf("w", [768, 40], 8)];
    const cases = [master("fp8-128x128"), master("mxfp4")];
    // From a block of sums on; the piece is longer than a batch, so that its own blocks are in several.
    const pieces = piecesOf(tensors, [[0, 512 * 40, 768 * 40]]);
    await expectSame({ tensors: pieces, stepNumbers: [0, 1, 2], cases, chunk: 4096 });
  });

  it("weights that only fp64 holds, in tensors with a scale", async () => {
    const row = [1, 1 + 2 ** -40, 1 / 3, 2 ** -140 + 2 ** -160, 0.5, 0.25 - 2 ** -50, Number.NaN, 2];
    const weights = Array.from({ length: 96 }, (_, i) => row[i % (i < 48 ? 6 : 8)]);
    const updates = [new Float32Array(96), new Float32Array(96).fill(1e-3)];
    const tensors = [
      weights.map((x) => (Number.isNaN(x) ? 0 : x)),
      weights,
      [...weights.slice(0, 95), 1e300],
    ].map((numbers, i) => ({
      name: `w${i}`,
      shape: [4, 24],
      weights: valuesOf(numbers),
      updates: updates.map(valuesOf),
    }));
    const cases = [master("nvfp4"), master("fp8-128x128"), schemeSettings({ format: "bf16" })];
    await expectSame({ tensors, stepNumbers: [0, 1], cases });
  });

  it.each(["adamw", "steady-state"] as const)(
    "numbers that the device draws, in one batch and in several: %s",
    async (source) => {
      const settings = syntheticSettings(
        { steps: 3, optimizer: { lr: 1e-3, betas: [0.9, 0.95] } },
        { elements: 9600, source },
      );
      const job = { ...syntheticJob(settings), cases: [drawn, master("nvfp4")], milestones: [0] };
      await expectSame(job);
      await expectSame({ ...job, chunk: 4096 });
    },
  );
});
