/** What chromium.test.ts runs in a page: a job large enough for threads, on both engines. */
import { reference } from "../../../src/engine/reference/reference.js";
import { forWorkers, runThreaded } from "../../../src/engine/wasm/threaded.js";
import { wasm } from "../../../src/engine/wasm/wasm.js";
import { format } from "../../../src/format/registry.js";
import type { Values } from "../../../src/lens/input.js";
import { type CaseTally, summarizeCase } from "../../../src/lens/run/summarize.js";
import { updateSettings } from "../../../src/update/settings.js";

const elements = 100_000;

/** In shared memory where the page has it. */
function values(x: (i: number) => number): Values {
  const isShared = typeof SharedArrayBuffer !== "undefined";
  const buffer = isShared ? new SharedArrayBuffer(4 * elements) : new ArrayBuffer(4 * elements);
  const numbers = new Float32Array(buffer);
  for (let i = 0; i < elements; i++) numbers[i] = x(i);
  const read = async (start: number, into: Float32Array | Float64Array) =>
    into.set(numbers.subarray(start, start + into.length));
  if (buffer instanceof ArrayBuffer) return { length: elements, read };
  return {
    length: elements,
    read,
    origin: { kind: "stored", of: { in: buffer, byteOffset: 0, format: format("fp32") } },
  };
}

async function check() {
  const tensor = {
    name: "w",
    shape: [elements],
    weights: values((i) => Math.sin(i) / 50),
    updates: [values((i) => Math.cos(i * i) * 1e-5), values((i) => (i % 3 ? 1e-6 : 0))],
  };
  const cases = [
    updateSettings({ format: "bf16" }),
    updateSettings({ format: "fp16", scheme: "kahan", rounding: "stochastic" }),
  ];
  const job = { tensors: [tensor], stepNumbers: [0, 1], cases };
  const text = (tallies: CaseTally[]) => JSON.stringify(tallies.map(summarizeCase));
  const expected = text(await reference.run(job));
  const here = text(await wasm.run(job)) === expected;
  const threads = forWorkers(job)(tensor) && text(await runThreaded({ ...job, chunk: 8192 }, 2)) === expected;
  await wasm.close!();
  return { device: wasm.device, threads, here };
}

(globalThis as { check?: typeof check }).check = check;
