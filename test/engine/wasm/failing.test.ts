import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import type { LensJob } from "../../../src/engine/engine.js";
import { startWorker } from "../../../src/engine/wasm/platform.js";
import { wasm, worthThreads } from "../../../src/engine/wasm/wasm.js";
import type { WorkerAnswer } from "../../../src/engine/wasm/worker-job.js";
import { workerScript } from "../../../src/engine/wasm/worker-script.js";
import { format } from "../../../src/format/registry.js";
import type { TensorInput, Values } from "../../../src/lens/input.js";
import { ThreadEnded } from "../../../src/lens/thread-ended.js";
import { updateSettings } from "../../../src/update/settings.js";

afterAll(() => wasm.close!());

const fp32 = format("fp32");
const cases = [updateSettings({ format: "bf16" })];
const steps = 64;
/** Far more than is done before another part fails. */
const elements = worthThreads;

/** Numbers that threads read from memory. */
const memory = new SharedArrayBuffer(4 * elements);
const shared: Values = {
  length: elements,
  read: async () => {},
  origin: { kind: "stored", of: { in: memory, byteOffset: 0, format: fp32 } },
};

function tensor(name: string, values: Values, weights = values): TensorInput {
  return { name, shape: [values.length], weights, updates: Array(steps).fill(values) };
}

function jobOf(...tensors: TensorInput[]): LensJob {
  return { tensors, stepNumbers: Array.from({ length: steps }, (_, i) => i), cases, threads: 2 };
}

describe("a part of a job that fails stops the others, which run at the same time", () => {
  test("threads, when this thread cannot read a tensor", async () => {
    const torn: Values = { length: 10, read: () => Promise.reject(new Error("torn")) };
    let told = 0;
    const job = jobOf(tensor("threads", shared), tensor("here", torn));
    const running = wasm.run(job, {
      progress: (done) => {
        told = Math.max(told, done);
      },
    });
    await expect(running).rejects.toThrow("torn");
    const total = (elements + 10) * steps;
    expect(told).toBeLessThan(total / 2);
    const then = told;
    await sleep(300);
    expect(told).toBe(then);
  });

  test("this thread, when others cannot read a tensor", async () => {
    let reads = 0;
    const slow: Values = {
      length: 4096 * 40,
      read: async () => {
        reads += 1;
        await sleep(2);
      },
    };
    const gone = { in: "/nowhere/at/all.safetensors", byteOffset: 0, format: fp32 };
    const unread: Values = {
      length: elements,
      origin: { kind: "stored", of: gone },
      read: () => Promise.reject(new Error("nothing there")),
    };
    await expect(wasm.run(jobOf(tensor("here", slow), tensor("threads", unread)))).rejects.toThrow(
      "nothing there",
    );
    const then = reads;
    expect(then).toBeLessThan(40 * steps);
    await sleep(50);
    expect(reads).toBe(then);
  });
});

describe("a worker", () => {
  /** Its next answer. */
  function answerOf(thread: ReturnType<typeof startWorker>, job: object): Promise<WorkerAnswer> {
    return new Promise((resolve, reject) => {
      thread.listen((message) => resolve(message as WorkerAnswer), reject);
      thread.post({ ...job, shared: new Int32Array(new SharedArrayBuffer(16)), worker: 0 });
    });
  }

  /** A module without anything in it but what a chunk begins with. */
  const bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

  test("that failed while it read says nothing of that when a later job fails", async () => {
    const { WebAssembly } = globalThis as unknown as {
      WebAssembly: { compile(bytes: Uint8Array): Promise<object> };
    };
    const thread = startWorker(workerScript);
    const source = { in: "/nowhere/at/all", byteOffset: 0, codeBytes: 4, decode: "", scale: null };
    const reading = {
      module: await WebAssembly.compile(bytes),
      pages: 1,
      layout: { constants: 0, chunk: 4096, given: 0, cases: [] },
      constants: new Uint8Array(0),
      tasks: 1,
      measured: [],
      measuring: 0,
      cases: 0,
      steps: 0,
      milestones: [],
      tensors: [{ start: 0, length: 1, weights: source, updates: [], keys: [], firstTask: 0, tasks: 1 }],
    };
    const during = { tensor: 0, step: null, start: 0 };
    expect(await answerOf(thread, reading)).toMatchObject({
      failed: expect.stringMatching(/ENOENT/),
      during,
    });
    const broken = { ...reading, module: {} };
    expect(await answerOf(thread, broken)).toMatchObject({ failed: expect.any(String), during: null });
    thread.terminate();
  });

  test("that has ended says so to who listens then, and to who listens later", async () => {
    const thread = startWorker(workerScript);
    const listening = new Promise((_, reject) => thread.listen(() => {}, reject));
    thread.terminate();
    await expect(listening).rejects.toThrow(ThreadEnded);
    await expect(new Promise((_, reject) => thread.listen(() => {}, reject))).rejects.toThrow(ThreadEnded);
  });
});
