import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LensJob } from "../../../src/engine/engine.js";
import { namesRead, writeRecipe } from "../../../src/engine/lane/recipe.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { FunctionWriter } from "../../../src/engine/wasm/assembler/function.js";
import { moduleBytes } from "../../../src/engine/wasm/assembler/module.js";
import { fma as writeFma } from "../../../src/engine/wasm/kernel/fma.js";
import { webAssembly } from "../../../src/engine/wasm/platform.js";
import { forWorkers, runThreaded } from "../../../src/engine/wasm/threaded.js";
import { wasm } from "../../../src/engine/wasm/wasm.js";
import { fma } from "../../../src/format/operations.js";
import { format } from "../../../src/format/registry.js";
import { models } from "../../../src/source/synthetic/models.js";
import { student4 } from "../../../src/update/distribution.js";
import { type UpdateSettings, updateSettings } from "../../../src/update/settings.js";
import { float32FromBits, random32 } from "../../support/bits.js";
import { expectEqual } from "../../support/mismatches.js";
import { outcomeOf } from "../../support/outcome.js";
import { syntheticJob, syntheticSettings } from "../../support/synthetic.js";
import { sized } from "../../support/tier.js";
import { tensorOf } from "../../support/values.js";

afterAll(() => wasm.close!());

const cases = [
  updateSettings({ format: "bf16" }),
  updateSettings({ format: "bf16", scheme: "master" }),
  updateSettings({ format: "fp16", scheme: "kahan", rounding: "stochastic", seed: 9 }),
];
const milestones = [0, 4];

/** On so many threads, whatever the size of the job. */
const onThreads = (threads: number, chunk: number) => ({
  run: (job: LensJob, observer?: Parameters<typeof wasm.run>[1]) =>
    runThreaded({ ...job, cases: job.cases as UpdateSettings[], chunk }, threads, observer),
});

const qwen = models.get("qwen2.5-0.5b")!;
/** All kinds of tensors, in two layers or in all. */
const model = { model: { ...qwen, layers: sized({ quick: 2, full: qwen.layers }) } };
/** More than two chunks of the least length, and a part of a group of lanes. */
const one = { elements: sized({ quick: 2 * 4096 + 13, full: 20_000 }) };

/** Runs that draw in every way there is. */
const runs = {
  "noise through AdamW": syntheticSettings({}, one),
  "a signal, heavy tails, weight decay, a cosine after a warm-up, other weights": syntheticSettings(
    {
      optimizer: { lr: 1e-4, betas: [0.8, 0.95], eps: 1e-6, weightDecay: 0.1 },
      schedule: "cosine",
      warmup: 2,
      noise: student4,
      snr: 0.3,
      seed: 2 ** 45 + 7,
    },
    { ...one, sigma: 0.05, weightFormat: "fp32" },
  ),
  "the other branch of lerp": syntheticSettings({ optimizer: { lr: 1e-3, betas: [0.4, 0.9] }, snr: 1 }, one),
  "a model: tensors of one weight, gains, heavier heads, scales apart": syntheticSettings(
    { seed: 3 },
    { ...model, elements: sized({ quick: 8011, full: 30_011 }), queryKeyShape: 1.13, scaleSpread: 1 },
  ),
  "weights stored as e4m3fn": syntheticSettings({}, { weightFormat: "e4m3fn", elements: 777 }),
  "draws of settled updates": syntheticSettings({}, { ...one, source: "steady-state" }),
  "draws of settled updates over a model": syntheticSettings(
    { seed: 1 },
    { ...model, elements: sized({ quick: 2003, full: 9001 }), source: "steady-state" },
  ),
} as const;

describe.each(Object.entries(runs))("%s", (_, settings) => {
  const job = { ...syntheticJob(settings), cases, milestones };

  it("counts, sums, curves and stored bits of the reference, on any threads and in any chunks", async () => {
    const expected = await outcomeOf(reference, job);
    expect(job.tensors.every(forWorkers(job))).toBe(true);
    const ways = sized({
      quick: [[2, 4096]],
      full: [
        [1, 4096],
        [2, 4096],
        [3, 32_768],
      ],
    });
    for (const [threads, chunk] of ways) {
      expectEqual(await outcomeOf(onThreads(threads, chunk), job), expected);
    }
    // Too small for threads: the specification draws, kernels count.
    expectEqual(await outcomeOf(wasm, job), expected);
  });
});

describe("jobs of several kinds of numbers", () => {
  const drawn = syntheticJob(syntheticSettings({ steps: 2 }));
  const another = syntheticJob(syntheticSettings({ steps: 2, seed: 5 }));
  const given = tensorOf("given", [0.5, -3, 2 ** -20], [1e-3, 0, 2 ** -21], [1, 2, 3]);
  const tensors = [
    given,
    ...drawn.tensors,
    ...another.tensors.map((tensor) => ({ ...tensor, name: "another" })),
  ];
  const job = { tensors, stepNumbers: drawn.stepNumbers, cases };

  it("workers take what they can make, and are not given what they cannot", () => {
    expect(tensors.map(forWorkers(job))).toEqual([false, true, false]);
  });

  it("the reference's counts, with threads", async () => {
    // Threads are worth their start from 2^22 weight-steps on. Cases that are there several times cost the kernels
    // little, and the reference, which has to count them once, nothing.
    const [elements, times] = sized({ quick: [45_000, 16], full: [720_000, 1] });
    const large = syntheticJob(syntheticSettings({ steps: 2 }, { elements }));
    const mixed = { ...job, tensors: [given, ...large.tensors], stepNumbers: large.stepNumbers };
    const repeated = { ...mixed, cases: Array(times).fill(cases).flat() };
    expect(repeated.cases.length * elements * 2).toBeGreaterThan(2 ** 22);
    const expected = Array(times)
      .fill(await outcomeOf(reference, mixed))
      .flat();
    expectEqual(await outcomeOf(wasm, repeated), expected);
  });
});

describe("fma in a kernel", () => {
  const groups = 4096;
  let exported: Readonly<Record<string, (...args: number[]) => void>>;
  let memory: Float32Array;

  beforeAll(async () => {
    const parameters = ["i32"] as const;
    const bytes = moduleBytes({ pages: 16, shared: false }, [
      {
        name: "fma",
        parameters,
        write: (k) => {
          const at = k.parameter(0, "i32");
          const row = (i: number) => k.load("v128", at, i * 16);
          k.store("v128", writeFma(k, row(0), row(1), row(2)), at, 48);
        },
      },
    ]);
    const host = new webAssembly!.Memory({ initial: 16, maximum: 16 });
    const module = await webAssembly!.compile(bytes);
    exported = (await webAssembly!.instantiate(module, { host: { memory: host } })).exports;
    memory = new Float32Array(host.buffer);
  });

  it("rounds once, as fma of the specification does", () => {
    const random = random32(77);
    const fp32 = format("fp32");
    const any = () => {
      const x = float32FromBits(random());
      return Number.isFinite(x) ? x : 1;
    };
    // Sums that cancel, and sums that lie next to the middle of two numbers.
    const triples = [
      () => [any(), any(), any()],
      () => {
        const [a, b] = [1 + (random() % 4096) * 2 ** -12, 1 + (random() % 4096) * 2 ** -12].map(Math.fround);
        return [a, b, Math.fround(-a * b)];
      },
      () => {
        const a = Math.fround(1 + (random() % 2 ** 23) * 2 ** -23);
        return [
          a,
          Math.fround(1 + 2 ** -23),
          Math.fround(2 ** (-24 - (random() % 60)) * (random() % 2 ? 1 : -1)),
        ];
      },
    ];
    let inexact = 0;
    for (let g = 0; g < groups; g++) {
      const lanes = [0, 1, 2, 3].map((lane) => triples[(g + lane) % 3]());
      for (const [lane, numbers] of lanes.entries())
        for (const [row, x] of numbers.entries()) memory[4 * row + lane] = x;
      exported.fma(0);
      for (const [lane, [a, b, c]] of lanes.entries()) {
        const expected = fma(a, b, c, fp32);
        expect(memory[12 + lane], `${a} * ${b} + ${c}`).toBe(expected);
        if (Math.fround(Math.fround(a * b) + c) !== expected) inexact += 1;
      }
    }
    // What two roundings get wrong, so that the test can tell.
    expect(inexact).toBeGreaterThan(500);
  });
});

describe("recipes in kernels", () => {
  const writer = () => new FunctionWriter(["i32"], () => 0);

  it("name what they read before they assign it", () => {
    expect(namesRead(["w < 0.5: M = fma(w, g - M, M)", "d = sqrt(V) / root", "u = (s * M) / d"])).toEqual([
      ...["w", "g", "M", "V", "root", "s"],
    ]);
  });

  it.each(["u = R(g)", "u = cos(g)", "u = sign(g, g)", "u = g ^ 2", "u = unknown + 1"])(
    "refuse %s",
    (line) => {
      const k = writer();
      const values = new Map([["g", k.f32x4.constant(1)]]);
      expect(() => writeRecipe({ k, fma: (a) => a, holds: () => true }, [line], values)).toThrow(SyntaxError);
    },
  );
});
