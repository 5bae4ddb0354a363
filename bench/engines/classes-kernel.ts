/**
 * Counts only classes, with parts of the engine's kernels, for bf16 weights in-place: the time of an engine without
 * state and norms, to compare with the C loop that does the same.
 */
import { Worker } from "node:worker_threads";
import { storageArithmetic } from "../../src/engine/lane/arithmetic.js";
import { isNonfinite, magnitude } from "../../src/engine/lane/numbers.js";
import { schemeSteps } from "../../src/engine/lane/scheme.js";
import type { FunctionWriter, V128 } from "../../src/engine/wasm/assembler/function.js";
import { moduleBytes, pageBytes } from "../../src/engine/wasm/assembler/module.js";
import { updateSettings } from "../../src/update/settings.js";

/** The body of `classes(weights, updates, count, counts)`: none, moved and nonfinite, four lanes each. */
function writeClasses(k: FunctionWriter): void {
  const { f32x4, i32, i32x4, v128 } = k;
  const settings = updateSettings({ format: "bf16" });
  const arithmetic = storageArithmetic(k, settings, () => i32x4.constant(0));
  const [weights, updates, count, counts] = [0, 1, 2, 3].map((i) => k.parameter(i, "i32"));
  const [none, moved, nonfinite] = [0, 1, 2].map(() => k.variable("v128"));
  k.loop(i32.constant(0), count, 8, (i) => {
    const codes = k.load("v128", i32.add(weights, i32.shl(i, 1)));
    const row = i32.add(updates, i32.shl(i, 2));
    const taken = [0, 1].map((half) => {
      const packed = half === 0 ? i32x4.extend_low_i16x8_u(codes) : i32x4.extend_high_i16x8_u(codes);
      const before = { weight: i32x4.shl(packed, 16), carrier: null };
      const update = k.load("v128", row, 16 * half);
      const after = schemeSteps["in-place"](before, update, arithmetic);
      const variable = (value: V128) => {
        const local = k.variable("v128");
        k.assign(local, value);
        return local;
      };
      return {
        bad: isNonfinite(k, magnitude(k, after.weight)),
        zero: variable(f32x4.eq(update, f32x4.constant(0))),
        // In-place, a zero moves nothing.
        changed: variable(f32x4.ne(after.weight, before.weight)),
      };
    });
    k.if(v128.any_true(v128.or(taken[0].bad, taken[1].bad)), () => {
      for (const { bad, zero, changed } of taken) {
        k.assign(nonfinite, i32x4.sub(nonfinite, bad));
        k.assign(zero, v128.andnot(zero, bad));
        k.assign(changed, v128.andnot(changed, bad));
      }
    });
    for (const { zero, changed } of taken) {
      k.assign(none, i32x4.sub(none, zero));
      k.assign(moved, i32x4.sub(moved, changed));
    }
  });
  for (const [i, lanes] of [none, moved, nonfinite].entries()) k.store("v128", lanes, counts, 16 * i);
}

const script = `
const { parentPort } = require("node:worker_threads");
let run;
parentPort.on("message", async ({ module, memory, args }) => {
  if (module) run = (await WebAssembly.instantiate(module, { host: { memory } })).exports.classes;
  else run(...args);
  parentPort.postMessage(0);
});`;

interface WebAssemblyHere {
  compile(bytes: Uint8Array): Promise<object>;
  readonly Memory: new (size: object) => { readonly buffer: SharedArrayBuffer };
}

/** Seconds of the best repeat on several threads over weights and updates in shared memory, and the number moved. */
export async function classesAlone(
  elements: number,
  fill: (weights: Uint16Array, updates: Float32Array) => void,
  threads: number,
  repeats: number,
): Promise<{ seconds: number; moved: number }> {
  const { compile, Memory } = (globalThis as unknown as { WebAssembly: WebAssemblyHere }).WebAssembly;
  const pages = Math.ceil((6 * elements) / pageBytes) + 1;
  const memory = new Memory({ initial: pages, maximum: pages, shared: true });
  const first = pageBytes;
  fill(
    new Uint16Array(memory.buffer, first, elements),
    new Float32Array(memory.buffer, first + 2 * elements, elements),
  );
  const parameters = ["i32", "i32", "i32", "i32"] as const;
  const module = await compile(
    moduleBytes({ pages, shared: true }, [{ name: "classes", parameters, write: writeClasses }]),
  );
  const workers = Array.from({ length: threads }, () => new Worker(script, { eval: true }));
  const ask = (message: (worker: number) => object) =>
    Promise.all(
      workers.map(
        (worker, i) =>
          new Promise((resolve) => {
            worker.once("message", resolve);
            worker.postMessage(message(i));
          }),
      ),
    );
  await ask(() => ({ module, memory }));
  // Small calls first, to warm up the compiler.
  for (let i = 0; i < 20; i++) await ask((w) => ({ args: [first, first + 2 * elements, 2 ** 16, 64 * w] }));
  const part = Math.floor(elements / threads / 8) * 8;
  let seconds = Infinity;
  for (let i = 0; i < repeats; i++) {
    const began = performance.now();
    await ask((w) => ({ args: [first + 2 * w * part, first + 2 * elements + 4 * w * part, part, 64 * w] }));
    seconds = Math.min(seconds, (performance.now() - began) / 1000);
  }
  let moved = 0;
  for (let w = 0; w < threads; w++) {
    for (const n of new Uint32Array(memory.buffer, 64 * w + 16, 4)) moved += n;
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  return { seconds, moved };
}
