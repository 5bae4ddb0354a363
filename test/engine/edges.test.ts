/** What the library takes where arrays and jobs enter, and what it refuses. */
import { describe, expect, it } from "vitest";
import type { Engine, LensJob } from "../../src/engine/engine.js";
import { lens } from "../../src/engine/lens.js";
import { reference } from "../../src/engine/reference/reference.js";
import { wasm } from "../../src/engine/wasm/wasm.js";
import { format } from "../../src/format/registry.js";
import { adamw } from "../../src/update/optimizer.js";
import { updateSettings } from "../../src/update/settings.js";
import { expectEqual } from "../support/mismatches.js";
import { outcomeOf } from "../support/outcome.js";
import { gaussianRun, tensorOf } from "../support/values.js";

const one = Float32Array.of(1e-3);
const bf16 = { format: "bf16", data: Uint16Array.of(0x3f80) };

describe("lens", () => {
  it.each([
    ["e2m1fn", Uint8Array.of(15, 16), "expected codes from 0 to 15, found 16 at index 1"],
    ["e3m2fn", Uint8Array.of(255, 0), "expected codes from 0 to 63, found 255 at index 0"],
    ["e5m6", Uint16Array.of(0, 4096), "expected codes from 0 to 4095, found 4096 at index 1"],
  ])("refuses codes that %s lacks", async (name, data, message) => {
    const updates = Float32Array.of(0, 0);
    await expect(lens({ format: name, data }, updates)).rejects.toThrow(
      `weights in ${format(name).name}: ${message}`,
    );
    await expect(lens({ format: name, data }, updates)).rejects.toThrow(RangeError);
    const largest = data.map((code) => Math.min(code, 2 ** format(name).bits - 1));
    await expect(lens({ format: name, data: largest }, updates)).resolves.toBeTruthy();
  });

  it.each<[string, unknown]>([
    ["fp64 numbers", Float64Array.of(1e-3)],
    ["an array of numbers", [1e-3]],
    ["one of several", [one, Float64Array.of(1e-3)]],
    ["codes", [Uint16Array.of(1)]],
    ["nothing", undefined],
    ["a buffer", one.buffer],
  ])("refuses updates that are no Float32Array: %s", async (_, updates) => {
    await expect(lens(bf16, updates as Float32Array)).rejects.toThrow(TypeError);
    await expect(lens(bf16, updates as Float32Array)).rejects.toThrow("updates: expected a Float32Array");
  });

  it.each([0, -1, Number.NaN, 1.5, Number.POSITIVE_INFINITY])("refuses %d threads", async (threads) => {
    await expect(lens(bf16, one, { threads })).rejects.toThrow(`threads of at least 1, found ${threads}`);
  });

  it("takes any number of threads from 1 on, to the same end", async () => {
    const [a, b] = await Promise.all([1, 3].map((threads) => lens(bf16, one, { threads, engine: "wasm" })));
    expect(a).toEqual(b);
    expect(a.totals).toMatchObject({ elements: 1, lost: 1 });
  });
});

describe.each<[string, Engine]>([
  ["reference", reference],
  ["wasm", wasm],
])("engine %s", (_, engine) => {
  it.each([0, -1, Number.NaN])("refuses %d threads, of a job of any size", async (threads) => {
    const numbers = new Float32Array(8);
    const large = { ...tensorOf("w", numbers, numbers), weights: { length: 2 ** 23, read: async () => {} } };
    const cases = [updateSettings({ format: "bf16" })];
    const job: LensJob = {
      tensors: [{ ...large, updates: [large.weights] }],
      stepNumbers: [0],
      cases,
      threads,
    };
    await expect(engine.run(job)).rejects.toThrow(RangeError);
  });
});

it("steps that are 2^32 apart have random bits of their own, the same on every engine", async () => {
  const { weights, updates } = gaussianRun(3, 4000, 1);
  const cases = [updateSettings({ format: "bf16", rounding: "stochastic", seed: 5 })];
  const jobOf = (step: number): LensJob => ({
    tensors: [tensorOf("w", weights, ...updates)],
    stepNumbers: [step],
    cases,
  });
  const outcomes = new Map<number, Awaited<ReturnType<typeof outcomeOf>>>();
  for (const step of [7, 2 ** 32 + 7, 2 ** 33 + 7, 2 ** 53 - 1]) {
    const [a, b] = await Promise.all([reference, wasm].map((engine) => outcomeOf(engine, jobOf(step))));
    expectEqual(a, b);
    outcomes.set(step, a);
  }
  const stored = [...outcomes.values()].map((outcome) => outcome[0].storedBits[0]);
  expect(new Set(stored).size).toBe(4);
});

describe("adamw by the recipe fp32", () => {
  it("keeps its weights in fp32, whatever format is asked for", () => {
    for (const formatName of [undefined, "bf16", "e4m3fn"]) {
      const optimizer = adamw({ recipe: "fp32", lr: 2 ** -20, ...(formatName && { format: formatName }) });
      const start = optimizer.init([1 + 2 ** -23, 0.1]);
      expect(Array.from(start.values.p)).toEqual([1 + 2 ** -23, Math.fround(0.1)]);
      // The first step of Adam is the learning rate.
      const next = optimizer.step(start, [1, -1]);
      expect(next.values.p[0]).toBeCloseTo(1 + 2 ** -23 - 2 ** -20, 9);
      expect(next.values.p[0]).not.toBe(1);
    }
  });

  it("others store what they are asked to, by default bf16", () => {
    const optimizer = adamw({ recipe: "master", lr: 1e-6 });
    expect(Array.from(optimizer.init([1 + 2 ** -23, 0.1]).values.p)).toEqual([1, 0.10009765625]);
  });
});
