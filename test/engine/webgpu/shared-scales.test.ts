import { describe, expect, it } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import { hardBlockJob } from "../../../src/engine/hard-blocks.js";
import { piecesOf } from "../../../src/engine/plan-tensor.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { CountsLayout } from "../../../src/engine/webgpu/counts.js";
import { binClasses, binsOf } from "../../../src/engine/webgpu/layout.js";
import { type Memory, runOnDevice } from "../../../src/engine/webgpu/run.js";
import { webGpuEngine } from "../../../src/engine/webgpu/webgpu.js";
import { blockFormat, blockFormats } from "../../../src/format/block/block-format.js";
import { roundings } from "../../../src/format/round.js";
import { outermostBin } from "../../../src/lens/histogram.js";
import { type BlockOptions, type BlockSettings, schemeSettings } from "../../../src/update/block-settings.js";
import type { UpdateSettings } from "../../../src/update/settings.js";
import { expectEqual } from "../../support/mismatches.js";
import { outcomeOf } from "../../support/outcome.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { syntheticJob, syntheticSettings } from "../../support/synthetic.js";
import { fullTier } from "../../support/tier.js";
import { valuesOf } from "../../support/values.js";
import { byHand } from "../blocks/by-hand.js";
import { counted, drawnRun, expectCounts } from "../blocks/count.js";
import { withDevice } from "./with-device.js";

const master = (name: string, more: Omit<BlockOptions, "format"> = {}) =>
  schemeSettings({ format: name, scheme: "master", ...more }) as BlockSettings;

// Compiling the kernels of a case takes SwiftShader two seconds: the quick tier has those of these two.
const plain = "mxfp8-e4m3:rceil";
const drawn = master("mxfp4:even", { through: "bf16", rounding: "stochastic", seed: 2 ** 40 + 7 });

const elements = ["mxfp8-e4m3", "mxfp8-e5m2", "mxfp6-e2m3", "mxfp6-e3m2", "mxfp4"];
const rules = ["floor", "ceil", "rceil", "even", "compressed-tensors"];

const tensorOf = (name: string, shape: readonly number[], seed: number, steps = 3) => {
  const { weights, updates } = drawnRun(shape, seed, steps);
  return { name, shape, weights: valuesOf(weights), updates: updates.map(valuesOf) };
};

describeNeeding(requirements.vulkan, "the webgpu engine counts shared scales as the reference", () => {
  const on = withDevice();
  const { engine, expectSame } = on;

  it("hard blocks: every threshold of a rule, NaN, Inf, subnormals, scales that move under zeros", async () => {
    const settings = master(plain);
    await expectSame({ ...hardBlockJob(settings), cases: [settings] });
    // What the kernels kept of one run is nothing to the next.
    await expectSame({ ...hardBlockJob(master("mxfp6-e3m2")), cases: [settings], milestones: [0, 2] });
  });

  it("hard blocks by random bits, from a bf16 view, beside another case", async () => {
    const cases = [drawn, master(plain)];
    await expectSame({ ...hardBlockJob(drawn), cases });
  });

  it("as the rules written out have it: every row whole, matrices side by side, longer than a block of sums", async () => {
    for (const [seed, shape] of [[64], [2, 3, 96], [70, 64]].entries()) {
      const run = drawnRun(shape, seed + 1, 3);
      const { steps, numbers } = byHand(run, plain, true);
      const ours = await counted(run, { format: plain, scheme: "master" }, 4096, engine);
      expectCounts(ours.result, steps);
      expect(ours.numbers).toEqual(numbers);
    }
  });

  describe("whatever the batches", () => {
    const job = {
      tensors: [
        tensorOf("large", [1040, 128], 1, 2),
        tensorOf("one", [32], 2, 2),
        tensorOf("none", [0], 3, 2),
        tensorOf("small", [129, 32], 4, 2),
      ],
      stepNumbers: [3, 9],
      milestones: [0],
      cases: [master(plain)],
    };
    const expected = outcomeOf(reference, job);
    const memory: Memory = { batch: 2 ** 30, counts: 2 ** 24, steps: 2 ** 22 };

    it.each<[string, number | null, Memory]>([
      ["all in one, more than a workgroup's", null, memory],
      ["of one piece, whose counts are read after each step", null, { ...memory, counts: 1, steps: 1 }],
      ...(fullTier ? [["of a block of sums each", 4096, memory] as [string, number, Memory]] : []),
    ])("%s", async (_, chunk, limits) => {
      const run: Engine["run"] = (given, observer) => runOnDevice(given, on.device, observer, limits);
      expectEqual(await outcomeOf({ run }, { ...job, ...(chunk !== null && { chunk }) }), await expected);
    });
  });

  it("a piece from the middle of a tensor", async () => {
    const [tensors, stepNumbers] = [[tensorOf("w", [300, 64], 8)], [0, 1, 2]];
    await expectSame({ tensors: piecesOf(tensors, [[0, 4096, 8192]]), stepNumbers, cases: [master(plain)] });
  });

  it("weights that only fp64 holds are quantized as fp32, and counted as changed by the cast", async () => {
    const row = [1, 1 + 2 ** -40, 1 / 3, 2 ** -140 + 2 ** -160, 0.5, 1e300, 0.25 - 2 ** -50];
    const weights = Array.from({ length: 96 }, (_, i) => (i < 32 && i % 7 === 5 ? 0 : row[i % 7]));
    const updates = [new Float32Array(96), new Float32Array(96).fill(1e-3)];
    const tensor = { name: "w", shape: [3, 32], weights: valuesOf(weights), updates: updates.map(valuesOf) };
    await expectSame({ tensors: [tensor], stepNumbers: [0, 1], cases: [master(plain)] });
  });

  if (!fullTier) return;

  it.each(elements.flatMap((name) => rules.map((rule) => `${name}:${rule}`)))(
    "%s: hard blocks, from fp32 and from a bf16 view",
    async (name) => {
      const cases = [master(name), master(name, { through: "bf16" })];
      await expectSame({ ...hardBlockJob(cases[0]), cases });
    },
  );

  it.each(roundings)("elements by %s", async (rounding) => {
    const cases = [master("mxfp6-e3m2", { rounding, seed: 11 }), master("mxfp4:ceil", { rounding })];
    await expectSame({ ...hardBlockJob(cases[0]), cases });
  });

  it("beside cases without shared scales, before and after", async () => {
    const cases = [
      schemeSettings({ format: "bf16", scheme: "master" }),
      master("mxfp4"),
      schemeSettings({ format: "e5m2", scheme: "kahan" }),
      master("mxfp8-e4m3:ceil", { through: "fp16" }),
      schemeSettings({ format: "bf16" }),
    ];
    await expectSame({ ...hardBlockJob(drawn), cases });
  });

  it.each(["adamw", "steady-state"] as const)("numbers that the device draws: %s", async (source) => {
    const settings = syntheticSettings(
      { steps: 3, optimizer: { lr: 1e-3, betas: [0.9, 0.95] } },
      { elements: 9600, source },
    );
    await expectSame({ ...syntheticJob(settings), cases: [master("mxfp4"), drawn], milestones: [0] });
  });
});

describe("what is refused, by name", () => {
  const engine = webGpuEngine(async () => expect.fail("a device was opened"));
  const w = (...shape: number[]) => ({ name: "w", shape });
  it.each([
    ["nvfp4", { scheme: "in-place", scales: "kept" }, [], "it takes nvfp4 under scheme master, not in-place"],
    ["mxfp4", { scheme: "master", through: "e8m0fnu" }, [], "within fp32, not through e8m0fnu"],
    ["mxfp4", { scheme: "in-place" }, [], "it takes mxfp4 under scheme master, not in-place"],
    ["mxfp4", { scheme: "eco" }, [], "it takes mxfp4 under scheme master, not eco"],
    ["mxfp4", { scheme: "master" }, [w(64), w(2, 44)], "in rows of a multiple of 8, and w has shape [2, 44]"],
    ["mxfp4", { scheme: "master" }, [w()], "and w has shape []"],
  ] as const)("%s, %j", async (name, options, tensors, reason) => {
    const settings = schemeSettings({ format: name, ...options });
    expect(engine.refuses!([settings], tensors)).toContain(reason);
    expect(engine.refuses!([schemeSettings({ format: "bf16" }), settings], tensors)).toContain(reason);
    const job = { tensors: tensors.map(({ name, shape }) => tensorOf(name, shape, 1, 0)), stepNumbers: [] };
    await expect(engine.run({ ...job, cases: [settings] })).rejects.toThrow(RangeError);
  });
});

it("more rows or longer ones than kernels count are refused, but for a single row", () => {
  const settings = master("fp8-128x128");
  const { refuses } = webGpuEngine();
  const refused = (...shape: number[]) => refuses!([settings], [{ name: "w", shape }]);
  expect(refused(2, 2 ** 31 + 8)).toContain("in at most 2^31 rows of 2^31 numbers, and w has shape [2, ");
  expect(refused(2 ** 31 + 1, 8)).toContain("in at most 2^31 rows");
  expect(refused(1, 2 ** 34)).toBeNull();
  expect(refused(2 ** 31, 8)).toBeNull();
});

describe("where counts lie", () => {
  const cases = [
    schemeSettings({ format: "bf16" }),
    master("mxfp4"),
    schemeSettings({ format: "bf16", scheme: "kahan" }),
  ] as UpdateSettings[];

  it("rows of cases of different lengths are side by side", () => {
    const [pieces, steps] = [3, 4];
    const layout = new CountsLayout(cases, { pieces, steps, milestones: 1, stepWords: 2 ** 20 });
    expect(layout.rowWords[0]).toBe(layout.rowWords[2]);
    expect(layout.rowWords[1]).toBe(layout.rowWords[0] + 7);
    let at = layout.steps;
    for (let step = 0; step < steps; step++) {
      for (const c of cases.keys()) {
        expect(layout.step(c, step)).toBe(at);
        at += pieces * layout.rowWords[c];
      }
    }
    expect(layout.words).toBe(at);
  });

  it.each([...blockFormats.keys()].filter((name) => name.startsWith("nvfp4") || name.startsWith("fp8")))(
    "of %s every bin of gaps that are no powers of two, and a workgroup room for them",
    (name) => {
      const { first, count } = binsOf(master(name));
      expect([first, first + count - 1]).toEqual([-outermostBin, outermostBin]);
      expect(4 * binClasses.length * count).toBeLessThan(2 ** 13);
    },
  );

  it.each([...elements, "fp8-128x128:power-of-two"])(
    "of %s every size of update has a bin under every scale, and a workgroup room for them",
    (name) => {
      const { element, scale } = blockFormat(name);
      const { first, count } = binsOf(master(name));
      const gap = (exponent: number) => exponent + 1 - element.precision;
      // The largest number is below 2^128.
      const largest = 127 + 1 - element.precision;
      expect(first).toBeLessThanOrEqual(-149 - largest);
      expect(first + count - 1).toBeGreaterThanOrEqual(127 - gap(element.minExponent) - scale.minExponent);
      expect(4 * binClasses.length * count).toBeLessThan(2 ** 13);
    },
  );
});
