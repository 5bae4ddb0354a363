import { afterAll, describe, expect, it } from "vitest";
import type { Engine, LensJob, Observer } from "../../../src/engine/engine.js";
import { hardBlockJob } from "../../../src/engine/hard-blocks.js";
import { proofOf } from "../../../src/engine/proof.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { selectEngine } from "../../../src/engine/select.js";
import { agrees, agreesOn } from "../../../src/engine/twin-check.js";
import type { WasmSettings } from "../../../src/engine/wasm/admission.js";
import { runThreaded } from "../../../src/engine/wasm/threaded.js";
import { wasm } from "../../../src/engine/wasm/wasm.js";
import { format } from "../../../src/format/registry.js";
import { type Rounding, roundings } from "../../../src/format/round.js";
import type { TensorInput, Values } from "../../../src/lens/input.js";
import { type BlockOptions, type BlockSettings, schemeSettings } from "../../../src/update/block-settings.js";
import type { CaseSettings } from "../../../src/update/optimizer.js";
import { outcomeOf } from "../../support/outcome.js";
import { sized } from "../../support/tier.js";
import { valuesOf } from "../../support/values.js";
import { byHand } from "../blocks/by-hand.js";
import { counted, drawnRun, expectCounts } from "../blocks/count.js";

afterAll(() => wasm.close?.());

const elements = ["mxfp8-e4m3", "mxfp8-e5m2", "mxfp6-e2m3", "mxfp6-e3m2", "mxfp4"];
const rules = ["floor", "ceil", "rceil", "even", "compressed-tensors"];
/** Every format under every rule; in the quick tier each under one of them, another one each. */
const formats = elements.flatMap((name, e) =>
  rules.filter((_, r) => (e + r) % 5 < sized({ quick: 1, full: 5 })).map((rule) => `${name}:${rule}`),
);

const master = (name: string, more: Omit<BlockOptions, "format"> = {}) =>
  schemeSettings({ format: name, scheme: "master", ...more }) as BlockSettings;

describe.each(formats)("%s", (name) => {
  it("as the rules written out have it: every row whole, matrices side by side, longer than a chunk", async () => {
    for (const [seed, shape] of [[64], [2, 3, 96], [70, 64]].entries()) {
      const run = drawnRun(shape, seed + 1, 3);
      const { steps, numbers } = byHand(run, name, true);
      const ours = await counted(run, { format: name, scheme: "master" }, 4096, wasm);
      expectCounts(ours.result, steps);
      expect(ours.numbers).toEqual(numbers);
    }
  });

  it("as the reference has it: hard blocks, from fp32 and from a bf16 view", async () => {
    for (const through of [null, "bf16"]) {
      const settings = master(name, { through });
      const job = { ...hardBlockJob(settings), cases: [settings] };
      expect(await agreesOn(wasm, reference, job)).toBe(true);
    }
  });
});

it("the hard blocks say something: every class, every count, and scales that move under zeros", async () => {
  const settings = master("mxfp4:rceil");
  const [{ tensors }] = await reference.run({ ...hardBlockJob(settings), cases: [settings] });
  const { updates, end } = tensors[0].tally;
  const { none, lost, kept, moved, nonfinite, collateral, collateralZeros, shared } = updates;
  const { codes, blockScales, clipped, flushed } = shared!;
  expect(
    Math.min(none, lost, kept, moved, nonfinite, collateral, collateralZeros, codes, blockScales, flushed),
  ).toBeGreaterThan(30);
  // rceil clips nothing.
  expect(clipped).toBe(0);
  expect(Math.min(end.shared!.codes, end.shared!.blockScales, end.unchanged)).toBeGreaterThan(30);
});

it("every rounding of elements, with the random bits of the reference", async () => {
  for (const rounding of sized<readonly Rounding[]>({
    quick: ["stochastic", "toward-positive"],
    full: roundings,
  })) {
    const settings = master("mxfp6-e3m2", { rounding, seed: 11 });
    const job = { ...hardBlockJob(settings), cases: [settings] };
    expect(await agreesOn(wasm, reference, job)).toBe(true);
  }
});

it("beside other cases of one job", async () => {
  const cases = [
    schemeSettings({ format: "bf16", scheme: "master" }),
    master("mxfp4"),
    schemeSettings({ format: "e5m2", scheme: "kahan" }),
    master("mxfp8-e4m3:ceil", { through: "fp16" }),
  ];
  const job = { ...hardBlockJob(master("mxfp4")), cases };
  expect(await agreesOn(wasm, reference, job)).toBe(true);
});

it("weights that only fp64 holds are quantized as fp32, and counted as changed by the cast", async () => {
  const row = [1, 1 + 2 ** -40, 1 / 3, 2 ** -140 + 2 ** -160, 0.5, 1e300, 0.25 - 2 ** -50];
  const weights = Array.from({ length: 96 }, (_, i) => (i < 32 && i % 7 === 5 ? 0 : row[i % 7]));
  const updates = [new Float32Array(96), new Float32Array(96).fill(1e-3)];
  const tensor: TensorInput = {
    name: "w",
    shape: [3, 32],
    weights: {
      length: 96,
      read: async (start, into) => {
        for (let i = 0; i < into.length; i++) into[i] = weights[start + i];
      },
    },
    updates: updates.map(valuesOf),
  };
  const job = { tensors: [tensor], stepNumbers: [0, 1], cases: [master("mxfp8-e4m3")] };
  expect(await agreesOn(wasm, reference, job)).toBe(true);
});

it("on threads: many chunks of numbers in shared memory, pieces of a tensor too", async () => {
  const length = 4 * 4096 - 32;
  const shared = (numbers: (i: number) => number): Values => {
    const memory = new SharedArrayBuffer(4 * length);
    const data = new Float32Array(memory).map((_, i) => numbers(i));
    new Float32Array(memory).set(data);
    return {
      length,
      origin: { kind: "stored", of: { in: memory, byteOffset: 0, format: format("fp32") } },
      read: async (start, into) => into.set(data.subarray(start, start + into.length)),
    };
  };
  const weights = shared((i) => Math.sin(i) * 0.02);
  const updates = shared((i) => Math.cos(3 * i) * 1e-4);
  const tensor = { name: "w", weights, updates: [updates, updates], shape: [length / 32, 32] };
  const cases = [master("mxfp8-e4m3"), master("mxfp4:even")];
  const whole: LensJob = { tensors: [tensor], stepNumbers: [0, 1], cases, threads: 2, chunk: 4096 };
  for (const job of [whole, { ...whole, tensors: [{ ...tensor, start: 4096 }] }]) {
    const threaded = (part: LensJob, observer?: Observer) =>
      runThreaded({ ...part, cases: cases as WasmSettings[], chunk: 4096 }, 2, observer);
    expect(await outcomeOf({ ...wasm, run: threaded }, job)).toEqual(await outcomeOf(reference, job));
  }
});

describe("what is refused, by name", () => {
  const w = (...shape: number[]) => ({ name: "w", shape });
  it.each([
    ["mxfp4", { scheme: "master", through: "e8m0fnu" }, [], "within fp32, not through e8m0fnu"],
    ["nvfp4", { scheme: "in-place" }, [], "nvfp4 under scheme in-place with kept scales, not with renewed"],
    ["fp8-128x128", { scheme: "eco" }, [], "it takes fp8-128x128 under scheme eco with kept scales"],
    [
      "mxfp4:even",
      { scheme: "in-place" },
      [w(64), w(2, 48)],
      "it takes mxfp4:even under scheme in-place in rows of a multiple of 32, and w has shape [2, 48]",
    ],
    ["nvfp4", { scheme: "master" }, [w(48), w(2, 20)], "it takes nvfp4 in rows of a multiple of 8"],
    ["mxfp4", { scheme: "master" }, [w()], "and w has shape []"],
  ] as const)("%s, %j", (name, options, tensors, reason) => {
    expect(wasm.refuses!([schemeSettings({ format: name, ...options })], tensors)).toContain(reason);
  });

  it("auto counts it by the reference; run in spite of it fails", async () => {
    const job = (width: number): LensJob => {
      const length = width * 4096;
      const { weights, updates } = drawnRun([length], 1, 1);
      const tensor = {
        name: "w",
        shape: [4096, width],
        weights: valuesOf(weights),
        updates: updates.map(valuesOf),
      };
      return { tensors: [tensor], stepNumbers: [0], cases: [master("mxfp4")] };
    };
    expect((await selectEngine("auto", job(44))).engine.name).toBe("reference");
    expect((await selectEngine("auto", job(64))).engine.name).toBe("wasm");
    await expect(wasm.run(job(44))).rejects.toThrow("engine wasm: it takes mxfp4 in rows");
    await expect(wasm.open!(job(64).cases, 4096)).rejects.toThrow("takes no shared scales");
  });
});

describe("a kernel that does something else", () => {
  const settings = master("mxfp8-e4m3:rceil", { through: "bf16" });
  /** The engine, but for what it is told of its cases. */
  const wrong = (change: (settings: BlockSettings) => CaseSettings): Engine => {
    const run: Engine["run"] = (job, observer) =>
      wasm.run({ ...job, cases: job.cases.map((given) => (given.blocks ? change(given) : given)) }, observer);
    return { ...wasm, run, selfCheck: (cases = []) => proofOf({ ...wasm, run })(cases) };
  };
  const never = (given: BlockSettings) => ({ ...given, blocks: master("mxfp8-e4m3").blocks });

  it.each<[string, (settings: BlockSettings) => CaseSettings]>([
    [
      "doubles scales at another significand",
      (given) => ({ ...given, blocks: master("mxfp8-e4m3:ceil").blocks }),
    ],
    ["never doubles them", never],
    ["quantizes masters that are not rounded on their way", (given) => ({ ...given, through: null })],
    ["truncates elements", (given) => ({ ...given, rounding: "toward-zero" })],
  ])("%s: does not agree", async (_, change) => {
    expect(await agrees(wrong(change), reference, [settings])).toBe(false);
    expect(
      await agrees(
        wrong((given) => given),
        reference,
        [settings],
      ),
    ).toBe(true);
  });

  it("is not used", async () => {
    const job = { ...hardBlockJob(settings), cases: [settings] };
    const chosen = selectEngine("wasm", job, new Map([["wasm", wrong(never)]]));
    await expect(chosen).rejects.toThrow(/: 1 of .* other counts/);
  });
});
