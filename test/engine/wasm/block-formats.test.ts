import { afterAll, describe, expect, it } from "vitest";
import type { Engine, LensJob, Observer } from "../../../src/engine/engine.js";
import { hardBlockJob } from "../../../src/engine/hard-blocks.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { agrees, agreesOn } from "../../../src/engine/twin-check.js";
import type { WasmSettings } from "../../../src/engine/wasm/admission.js";
import { batchesOf, blocksOfTensor } from "../../../src/engine/wasm/tensor-blocks.js";
import { runThreaded } from "../../../src/engine/wasm/threaded.js";
import { wasm } from "../../../src/engine/wasm/wasm.js";
import { BlockLayout } from "../../../src/format/block/block-layout.js";
import { format } from "../../../src/format/registry.js";
import type { TensorInput, Values } from "../../../src/lens/input.js";
import { drawnWeights, simulatedUpdates } from "../../../src/lens/run/simulated.js";
import { type BlockOptions, type BlockSettings, schemeSettings } from "../../../src/update/block-settings.js";
import { gaussian } from "../../../src/update/distribution.js";
import { weightKey } from "../../../src/update/weight-draws.js";
import { outcomeOf } from "../../support/outcome.js";
import { sized } from "../../support/tier.js";
import { valuesOf } from "../../support/values.js";
import { byHand } from "../blocks/by-hand.js";
import { counted, drawnRun, expectCounts } from "../blocks/count.js";

/** What shared-scales.test.ts does not have: blocks that no chunk need have whole, scales of tensors, codes that are updated. */

afterAll(() => wasm.close?.());

const settingsOf = (name: string, more: Omit<BlockOptions, "format"> = {}) =>
  schemeSettings({ format: name, scheme: "master", ...more }) as BlockSettings;

const formats = [
  ...["nvfp4", "nvfp4:transformer-engine", "nvfp4-16x16", "nvfp4-16x16:torchao"],
  ...["fp8-128x128", "fp8-128x128:power-of-two"],
];

describe.each(formats)("%s, a view of a master", (name) => {
  const shapes = [[8], [5, 48], [2, 19, 24], [136, 40]];
  it("as the rules written out have it: short blocks at every edge, bands of blocks across chunks, matrices side by side", async () => {
    for (const [seed, shape] of shapes.entries()) {
      const run = drawnRun(shape, seed + 1, sized({ quick: 1, full: 3 }));
      const { steps, numbers } = byHand(run, name, true);
      const ours = await counted(run, { format: name, scheme: "master" }, 4096, wasm);
      expectCounts(ours.result, steps);
      expect(ours.numbers).toEqual(numbers);
    }
  });

  it("as the reference has it: hard blocks, from fp32 and from a bf16 view", async () => {
    // In the quick tier every other format, each from another master.
    const i = formats.indexOf(name);
    const quick = i % 2 === 1 ? [i % 4 === 1 ? "bf16" : null] : [];
    for (const through of sized<readonly (string | null)[]>({ quick, full: [null, "bf16"] })) {
      expect(await agrees(wasm, reference, [settingsOf(name, { through })])).toBe(true);
    }
  });
});

it("MX formats with rows whose last block is short", async () => {
  for (const [seed, shape] of [[24], [7, 40], [120, 40]].entries()) {
    const run = drawnRun(shape, seed + 5, 2);
    for (const name of ["mxfp8-e4m3", "mxfp4:even"]) {
      const { steps, numbers } = byHand(run, name, true, true);
      const options = { format: name, scheme: "master", through: "bf16" } as const;
      const ours = await counted(run, options, 4096, wasm);
      expectCounts(ours.result, steps);
      expect(ours.numbers).toEqual(numbers);
    }
  }
});

it("codes that are updated in-place with renewed scales, as the rules written out have it", async () => {
  for (const name of ["mxfp8-e4m3", "mxfp8-e5m2:rceil", "mxfp4"]) {
    const run = drawnRun([sized({ quick: 20, full: 70 }), 64], 6, 3);
    const { steps, numbers } = byHand(run, name, false);
    const ours = await counted(run, { format: name, scheme: "in-place" }, 4096, wasm);
    expectCounts(ours.result, steps);
    expect(ours.numbers).toEqual(numbers);
  }
});

describe("as the reference has it on hard blocks", () => {
  const ways: readonly (readonly [string, Omit<BlockOptions, "format">])[] = [
    ["mxfp8-e5m2", { scheme: "in-place" }],
    ["mxfp6-e2m3:even", { scheme: "in-place", rounding: "stochastic", seed: 3 }],
    ["mxfp4", { scheme: "in-place", scales: "kept" }],
    ["mxfp8-e4m3", { scheme: "eco" }],
    ["mxfp4:rceil", { scheme: "eco", momentum: 0 }],
    ["mxfp6-e3m2", { scheme: "eco", scales: "kept", rounding: "toward-negative" }],
    ["mxfp8-e4m3:ceil", { scales: "kept", through: "bf16" }],
    ["nvfp4", { scheme: "in-place", scales: "kept" }],
    ["nvfp4-16x16", { scales: "kept" }],
    ["nvfp4:transformer-engine", { rounding: "stochastic", seed: 8 }],
    ["fp8-128x128", { scheme: "eco", scales: "kept", momentum: 0.5 }],
    ["fp8-128x128", { rounding: "to-odd" }],
  ];
  // In the quick tier every scheme with renewed and with kept scales.
  it.each(ways.filter((_, i) => sized({ quick: i % 6 === 0, full: true }) || i === 2 || i === 3))(
    "%s, %j",
    async (name, more) => {
      expect(await agrees(wasm, reference, [settingsOf(name, more)])).toBe(true);
    },
  );

  it("all in one job, beside bf16", async () => {
    const names = ["nvfp4", "fp8-128x128", "mxfp4", "fp8-128x128:power-of-two", "nvfp4-16x16"];
    const cases = [schemeSettings({ format: "bf16" }), ...names.map((name) => settingsOf(name))];
    const { tensors, ...job } = hardBlockJob(settingsOf("nvfp4"));
    expect(
      await agreesOn(wasm, reference, {
        ...job,
        tensors: tensors.slice(sized({ quick: -1, full: -3 })),
        cases,
      }),
    ).toBe(true);
  });
});

it("the hard blocks say something: every class and count, scales of tensors that move and that do not", async () => {
  const settings = settingsOf("nvfp4");
  const [{ tensors }] = await reference.run({ ...hardBlockJob(settings), cases: [settings] });
  const sum = (count: (tally: (typeof tensors)[number]["tally"]) => number) =>
    tensors.reduce((total, { tally }) => total + count(tally), 0);
  for (const name of ["none", "lost", "kept", "moved", "nonfinite", "collateral", "collateralZeros"] as const)
    expect(sum(({ updates }) => updates[name])).toBeGreaterThan(30);
  for (const name of ["codes", "blockScales", "clipped", "flushed"] as const)
    expect(sum(({ updates }) => updates.shared![name])).toBeGreaterThan(30);
  const moves = sum(({ updates }) => updates.shared!.tensorScales);
  expect(moves).toBeGreaterThan(5);
  expect(moves).toBeLessThan(3 * tensors.length);
});

describe("on threads", () => {
  const shared = (length: number, numbers: (i: number) => number): Values => {
    const memory = new SharedArrayBuffer(4 * length);
    const data = new Float32Array(memory).map((_, i) => numbers(i));
    new Float32Array(memory).set(data);
    return {
      length,
      origin: { kind: "stored", of: { in: memory, byteOffset: 0, format: format("fp32") } },
      read: async (start, into) => into.set(data.subarray(start, start + into.length)),
    };
  };
  const tensorOf = (name: string, ...shape: number[]): TensorInput => {
    const length = shape.reduce((product, n) => product * n, 1);
    const weights = shared(length, (i) => Math.sin(i) * 0.02 * (1 + (i % 97)));
    const updates = [1, 2].map((step) => shared(length, (i) => Math.cos(3 * i + step) * 1e-3));
    return { name, weights, updates, shape };
  };
  const threaded = (cases: readonly BlockSettings[]) => (part: LensJob, observer?: Observer) =>
    runThreaded({ ...part, cases: cases as WasmSettings[], chunk: 4096 }, 3, observer);

  it("as the reference has it: magnitudes of all chunks are known before any is counted", async () => {
    const names = [
      "nvfp4",
      "fp8-128x128",
      ...sized({ quick: [], full: ["mxfp8-e4m3", "nvfp4-16x16:torchao"] }),
    ];
    const cases = names.map((name) => settingsOf(name, name === "nvfp4" ? { through: "bf16" } : {}));
    const tensors = [
      tensorOf("a", 132, 40),
      tensorOf("b", 40),
      tensorOf("c", 2, 20, sized({ quick: 40, full: 128 })),
    ];
    const job: LensJob = { tensors, stepNumbers: [0, 1], milestones: [0], cases, threads: 3, chunk: 4096 };
    expect(await outcomeOf({ run: threaded(cases) }, job)).toEqual(await outcomeOf(reference, job));
  });

  it("updates that workers simulate, and tensors without elements", async () => {
    const length = 40 * 136;
    const draws = {
      distribution: gaussian,
      mean: 0,
      sigma: 0.1,
      format: format("bf16"),
      key: weightKey(1, "drawn"),
    };
    const optimizer = { lr: 1e-2, betas: [0.9, 0.99], eps: 1e-6, weightDecay: 0.1 } as const;
    const run = {
      optimizer,
      schedule: "linear",
      warmup: 1,
      steps: 2,
      noise: gaussian,
      snr: 0.5,
      seed: 1,
    } as const;
    const weights = drawnWeights(length, draws);
    const updates = simulatedUpdates({ run, name: "drawn", gradientScale: 1e-3 }, weights);
    const tensors = [{ name: "drawn", shape: [40, 136], weights, updates }, tensorOf("none", 0, 64)];
    const cases = [settingsOf("nvfp4:transformer-engine"), settingsOf("fp8-128x128")];
    const job: LensJob = { tensors, stepNumbers: [0, 1], cases, threads: 3, chunk: 4096 };
    expect(await outcomeOf({ run: threaded(cases) }, job)).toEqual(await outcomeOf(reference, job));
  });

  it("pieces of a tensor that end where blocks do, and scales that are kept", async () => {
    const cases = [settingsOf("fp8-128x128"), settingsOf("fp8-128x128", { scheme: "eco", scales: "kept" })];
    const piece = { ...tensorOf("a", 256, 64), start: 128 * 64 };
    const job: LensJob = { tensors: [piece], stepNumbers: [0, 1], cases, threads: 3, chunk: 4096 };
    expect(await outcomeOf({ run: threaded(cases) }, job)).toEqual(await outcomeOf(reference, job));
  });

  it("a source that fails while blocks are measured: its own words, and no thread waits", async () => {
    const cases = [settingsOf("fp8-128x128")];
    const good = tensorOf("a", 256, 64);
    const missing: Values = {
      ...good.updates[1],
      origin: {
        kind: "stored",
        of: { in: "/nonexistent/updates", byteOffset: 0, format: format("fp32") },
      },
      read: async () => {
        throw new Error("updates: no such file");
      },
    };
    const tensor = { ...good, updates: [good.updates[0], missing] };
    const job: LensJob = { tensors: [good, tensor], stepNumbers: [0, 1], cases, threads: 3, chunk: 4096 };
    await expect(threaded(cases)(job)).rejects.toThrow("updates: no such file");
  });
});

describe("magnitudes that are held", () => {
  it("of a tensor once for all cases with the same blocks, and only as long as scales are renewed", () => {
    const cases = [settingsOf("fp8-128x128"), settingsOf("fp8-128x128:power-of-two"), settingsOf("mxfp4")];
    const shape = [3, 300, 256];
    const blocks = blocksOfTensor(cases, { shape }, 5, false)!;
    expect(blocks.cases.map((each) => each?.table)).toEqual([0, 0, null]);
    expect(blocks.tables.map(({ words }) => words.length)).toEqual([
      6 * new BlockLayout(shape, cases[0].blocks).blocks,
    ]);
    expect(blocks.ofTensor).toBeNull();
    const kept = blocksOfTensor(
      [settingsOf("nvfp4", { scheme: "eco", scales: "kept" })],
      { shape },
      5,
      false,
    )!;
    expect([kept.ofTensor!.length, kept.tables.length, kept.steps]).toEqual([1, 0, 0]);
    expect(blocksOfTensor([schemeSettings({ format: "bf16" })], { shape }, 5, false)).toBeNull();
  });

  it("of as many tensors as fit, in order", () => {
    const cases = [settingsOf("fp8-128x128")];
    const shapes = [128, 256, 128, 512, 128, 1024].map((rows) => ({ shape: [rows, 128] }));
    // A word for each block and step, and one before the first.
    expect(batchesOf(cases, shapes, 1, 8 * 4)).toEqual([[0, 1, 2], [3], [4], [5]]);
    expect(batchesOf(cases, shapes, 1)).toEqual([[0, 1, 2, 3, 4, 5]]);
    expect(batchesOf([settingsOf("mxfp4")], shapes, 1, 0)).toEqual([[0, 1, 2, 3, 4, 5]]);
  });
});

describe("a kernel that does something else does not agree", () => {
  /** The engine, but for what it is told of its cases. */
  const wrong = (change: (settings: BlockSettings) => object): Pick<Engine, "run"> => ({
    run: (job, observer) =>
      wasm.run(
        { ...job, cases: job.cases.map((given) => change(given as BlockSettings) as BlockSettings) },
        observer,
      ),
  });

  it.each<[string, BlockSettings, (settings: BlockSettings) => object]>([
    [
      "the other sequence of NVFP4",
      settingsOf("nvfp4"),
      (given) => ({ ...given, blocks: settingsOf("nvfp4:transformer-engine").blocks }),
    ],
    [
      "scales of another block",
      settingsOf("fp8-128x128"),
      (given) => ({ ...given, blocks: { ...given.blocks, rows: 1 } }),
    ],
    ["scales that are kept", settingsOf("nvfp4-16x16"), (given) => ({ ...given, scales: "kept" })],
    ["a momentum of 0", settingsOf("mxfp4", { scheme: "eco" }), (given) => ({ ...given, momentum: 0 })],
    ["no remainder", settingsOf("mxfp4", { scheme: "eco" }), (given) => ({ ...given, scheme: "in-place" })],
  ])("%s", async (_, settings, change) => {
    expect(await agrees(wrong(change), reference, [settings])).toBe(false);
  });
});

it("weights that are computed as they are read, not stored", async () => {
  const { weights, updates } = drawnRun([20, 1024], 2, 2);
  const tensor = { name: "w", shape: [20, 1024], weights: valuesOf(weights), updates: updates.map(valuesOf) };
  const job: LensJob = {
    tensors: [tensor],
    stepNumbers: [0, 1],
    cases: [settingsOf("nvfp4-16x16")],
    chunk: 8192,
  };
  expect(await agreesOn(wasm, reference, job)).toBe(true);
});
