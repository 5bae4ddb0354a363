import { mkdtemp, rm, truncate, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LensJob } from "../../../src/engine/engine.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { runThreaded } from "../../../src/engine/wasm/threaded.js";
import { wasm } from "../../../src/engine/wasm/wasm.js";
import { encode } from "../../../src/format/encode.js";
import type { Format } from "../../../src/format/format.js";
import { format } from "../../../src/format/registry.js";
import { round } from "../../../src/format/round.js";
import type { TensorInput, Values } from "../../../src/lens/input.js";
import { openRecording, recordedRun } from "../../../src/source/recording.js";
import type { TensorToWrite } from "../../../src/source/safetensors/write.js";
import { type UpdateSettings, updateSettings } from "../../../src/update/settings.js";
import { adversarialRun } from "../../support/adversarial.js";
import { expectEqual } from "../../support/mismatches.js";
import { outcomeOf } from "../../support/outcome.js";
import { float32, writeRun } from "../../support/recorded.js";
import { sized } from "../../support/tier.js";
import { tensorOf, valuesOf } from "../../support/values.js";

const cases = [
  updateSettings({ format: "bf16" }),
  updateSettings({ format: "bf16", scheme: "kahan", rounding: "stochastic", seed: 2 ** 40 + 3 }),
  updateSettings({ format: "e4m3fn", scheme: "master", rounding: "stochastic", seed: 5 }),
];
const bf16 = format("bf16");

/** On so many threads, whatever the size of the job. */
const onThreads = (threads: number, chunk: number) => ({
  run: (job: LensJob, observer?: Parameters<typeof wasm.run>[1]) =>
    runThreaded({ ...job, cases: job.cases as UpdateSettings[], chunk }, threads, observer),
});

/** Numbers in shared memory, as codes of a format. */
function shared(numbers: Float32Array, storageFormat: Format): Values {
  const bytes = storageFormat.bits / 8;
  const buffer = new SharedArrayBuffer(16 + bytes * numbers.length);
  if (bytes === 4) new Float32Array(buffer, 16).set(numbers);
  else {
    const codes = bytes === 2 ? new Uint16Array(buffer, 16) : new Uint8Array(buffer, 16);
    for (const [i, x] of numbers.entries()) codes[i] = encode(x, storageFormat);
  }
  return {
    ...valuesOf(numbers),
    origin: { kind: "stored", of: { in: buffer, byteOffset: 16, format: storageFormat } },
  };
}

/** Tensors of unlike lengths, the last in another format; numbers of bf16 are numbers of fp32. */
function sharedJob(): LensJob {
  const tensors = [4096 * 3 + 5, 1, 700, 4096 * 2].map((elements, t): TensorInput => {
    const { weights, updates } = adversarialRun(bf16, 50 + t, elements, 3);
    const stored = weights.map(roundTo);
    const rows = updates.map((row, step) => (step === 1 ? row.map(roundTo) : row));
    return {
      name: `w${t}`,
      shape: [elements],
      weights: shared(stored, bf16),
      updates: rows.map((row, step) => shared(row, step === 1 ? bf16 : format("fp32"))),
    };
  });
  return { tensors, stepNumbers: [1, 2, 7], milestones: [0, 2], cases };
}

/** What the reference has of it, counted once. */
const ofReference = outcomeOf(reference, sharedJob());

/** The bf16 number at or below in magnitude; NaN stays one. */
function roundTo(x: number): number {
  if (Number.isNaN(x)) return x;
  return round(x, bf16, { rounding: "toward-zero" });
}

afterAll(() => wasm.close!());

describe("threads over shared memory", () => {
  it.each([
    [1, 4096],
    [2, 4096],
    [3, 8192],
    [2, 2 ** 15],
  ])("%i threads, chunks of %i: the reference's outcome", async (threads, chunk) => {
    expectEqual(await outcomeOf(onThreads(threads, chunk), sharedJob()), await ofReference);
  });

  it("tells progress up to the whole", async () => {
    const job = sharedJob();
    const total = job.tensors.reduce((sum, { weights }) => sum + weights.length, 0) * 3;
    const told: (readonly [number, number])[] = [];
    await onThreads(2, 4096).run(job, { progress: (...args) => told.push(args) });
    expect(told.at(-1)).toEqual([total, total]);
    expect(told.every(([done], i) => i === 0 || done >= told[i - 1][0])).toBe(true);
  });

  it("stops when an observer fails, and works again after that", async () => {
    const failing = onThreads(2, 4096).run(sharedJob(), {
      weights: () => {
        throw new Error("no room");
      },
    });
    await expect(failing).rejects.toThrow("no room");
    expectEqual(await outcomeOf(onThreads(2, 4096), sharedJob()), await ofReference);
  });

  it("a large job is divided between threads and the tensors that only this thread can read", async () => {
    // Threads are worth their start from 2^22 weight-steps on. Cases that are there several times cost the kernels
    // little, and the reference, which has to count them once, nothing.
    const [n, times] = sized({ quick: [130_000, 11], full: [1_500_000, 1] });
    const repeated = Array(times).fill(cases).flat();
    expect(repeated.length * n).toBeGreaterThan(2 ** 22);
    const weights = Float32Array.from({ length: n }, (_, i) => roundTo(0.01 + (i % 977) * 1e-5));
    const updates = Float32Array.from({ length: n }, (_, i) => ((i % 31) - 15) * 1e-6);
    const both = [shared(weights, bf16), shared(updates, format("fp32"))];
    const tensors = [
      tensorOf("unshared", weights.subarray(0, 5000), updates.subarray(0, 5000)),
      { name: "shared", shape: [n], weights: both[0], updates: [both[1]] },
      tensorOf("unshared too", weights.subarray(9, 4200), updates.subarray(9, 4200)),
    ];
    const job = { tensors, stepNumbers: [4], milestones: [0], cases: repeated, threads: 2 };
    const told: number[] = [];
    const [first] = await wasm.run(job, { progress: (done) => told.push(done) });
    expect(first.tensors.map(({ name }) => name)).toEqual(["unshared", "shared", "unshared too"]);
    expect(told.at(-1)).toBe(n + 5000 + 4191);
    const expected = await outcomeOf(reference, { ...job, cases });
    expectEqual(await outcomeOf(wasm, job), Array(times).fill(expected).flat());
  });
});

describe("threads over files", () => {
  let folder: string;
  const elements = sized({ quick: 20_000, full: 50_000 });
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "precision-lens-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function recording(name: string) {
    const { weights, updates } = adversarialRun(bf16, 9, elements, 2);
    const codes = (numbers: Float32Array, storageFormat: Format): TensorToWrite["data"] => {
      const all = Array.from(numbers, (x) => encode(x, storageFormat));
      return new Uint8Array(
        (storageFormat.bits === 16 ? Uint16Array.from(all) : Uint8Array.from(all)).buffer,
      );
    };
    const tensors = [
      { name: "a", dtype: "BF16", shape: [elements], data: codes(weights, bf16) },
      { name: "b", dtype: "F8_E5M2", shape: [elements], data: codes(weights, format("e5m2")) },
      float32("c", weights),
    ];
    const path = await writeRun(
      join(folder, name),
      tensors,
      updates.flatMap((row, step) => tensors.map((tensor) => float32(`step${step}/${tensor.name}`, row))),
    );
    return { path, ...(await openRecording(await recordedRun(path))) };
  }

  it("each reads its own bytes: the reference's outcome", async () => {
    const { tensors, stepNumbers, close } = await recording("run");
    const job = { tensors, stepNumbers, milestones: [1], cases };
    expectEqual(await outcomeOf(onThreads(2, 8192), job), await outcomeOf(reference, job));
    await close();
  });

  it("a file that was cut off while it is open is refused in words of the source, a touched one by its path", async () => {
    const refused = async (name: string, change: (path: string) => Promise<void>) => {
      const { path, tensors, stepNumbers, close } = await recording(name);
      await change(path);
      const run = onThreads(2, 8192).run({ tensors, stepNumbers, cases });
      await expect(run).rejects.toThrow();
      const message = await run.catch((error: Error) => error.message);
      await close();
      return message;
    };
    expect(await refused("cut", (path) => truncate(join(path, "updates.safetensors"), 1000))).toMatch(
      /updates\.safetensors: expected .* bytes/,
    );
    expect(await refused("touched", (path) => utimes(join(path, "base.safetensors"), 1, 1))).toMatch(
      /^tensor a: .*base\.safetensors was changed since it was opened$/,
    );
  });
});
