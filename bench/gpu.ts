/**
 * The gpu engine against a device-to-device copy on the same device, and beside the engines of the CPU.
 * Usage: npm run bench -- gpu [million weights]
 */
import { cpus } from "node:os";
import type { Engine, LensJob } from "../src/engine/engine.js";
import { type Device, openDevice } from "../src/engine/gpujs/device.js";
import { gpujsEngine } from "../src/engine/gpujs/gpujs.js";
import type { Kernel } from "../src/engine/gpujs/kernels/kernel.js";
import { engines } from "../src/engine/registry.js";
import { webGpu } from "../src/engine/webgpu/dawn.js";
import { drawnValues, type TensorInput } from "../src/lens/input.js";
import { updateSettings } from "../src/update/settings.js";
import { stepKey, tensorKey } from "../src/update/threefry.js";
import { gaussian, tensorOf } from "../test/support/values.js";

const repeats = 3;

export async function gpu(millions = 4): Promise<void> {
  const elements = Math.round(millions * 2 ** 20);
  let device: Device;
  try {
    device = await openDevice("webgpu");
  } catch (error) {
    process.stdout.write(`no GPU: ${error instanceof Error ? error.message : error}\n`);
    return;
  }
  const { clock, device: timed } = withClock(device);
  const engine = gpujsEngine(async () => device);
  const copy = await copyRate();
  process.stdout.write(
    `${device.name}, WebGPU through gpu.js; ${cpus()[0].model}, Node ${process.versions.node}\n` +
      `${elements.toLocaleString("en")} weights; copy on the device ${(copy / 1e9).toFixed(2)} GB/s ` +
      `(read and written), best of ${repeats}\n\n`,
  );
  // 12 bytes for a weight and step: weight and update read, weight written.
  const jobs = {
    "resident: bf16 in place, 20 steps of drawn updates": resident(elements, 20),
    "sweep: 100 cases, one step of drawn updates": sweep(Math.ceil(elements / 8)),
    "recorded: bf16 in place, 2 steps uploaded": recorded(elements),
  };
  for (const [name, job] of Object.entries(jobs)) {
    const weightSteps = job.tensors[0].weights.length * job.stepNumbers.length * job.cases.length;
    const rate = weightSteps / (await secondsOf(engine, job));
    const beside = [];
    for (const other of [...engines.values()].filter(({ worthFrom }) => worthFrom === undefined)) {
      if (other.refuses?.(job.cases)) continue;
      // The reference needs minutes for what others do in seconds: a part of it tells its rate.
      const part = other.name === "reference" ? partOf(job) : job;
      const steps = part.tensors[0].weights.length * part.stepNumbers.length * part.cases.length;
      beside.push(`${other.name} ${millionsOf(steps / (await secondsOf(other, part)))}`);
    }
    process.stdout.write(
      `${name}\n  gpu ${millionsOf(rate)} weight-steps/s, ${((rate * 12) / 1e9).toFixed(2)} GB/s at 12 bytes each: ` +
        `${((100 * rate * 12) / copy).toFixed(1)} % of the copy; ${beside.join(", ")}\n`,
    );
  }
  const timedEngine = gpujsEngine(async () => timed);
  await timedEngine.run(resident(elements, 4));
  process.stdout.write("\nwhere the time of a resident step goes, each kernel waited for:\n");
  const all = [...clock.values()].reduce((sum, of) => sum + of, 0);
  for (const [kernel, seconds] of [...clock].sort((a, b) => b[1] - a[1])) {
    process.stdout.write(`  ${((100 * seconds) / all).toFixed(1).padStart(5)} %  ${kernel}\n`);
  }
  await device.destroy();
}

function millionsOf(rate: number): string {
  return `${(rate / 1e6).toFixed(rate < 1e7 ? 1 : 0)} M`;
}

async function secondsOf(engine: Engine, job: LensJob): Promise<number> {
  let best = Infinity;
  for (let i = 0; i <= repeats; i++) {
    const began = performance.now();
    await engine.run(job);
    // The first compiles kernels.
    if (i > 0) best = Math.min(best, (performance.now() - began) / 1000);
  }
  return best;
}

/** Bytes read and written a second by a copy from buffer to buffer. */
async function copyRate(): Promise<number> {
  interface Buffer {
    destroy(): void;
  }
  interface RawDevice {
    createBuffer(of: { size: number; usage: number }): Buffer;
    createCommandEncoder(): {
      copyBufferToBuffer(a: Buffer, i: number, b: Buffer, j: number, size: number): void;
      finish(): unknown;
    };
    readonly queue: { submit(commands: unknown[]): void; onSubmittedWorkDone(): Promise<void> };
    destroy(): void;
  }
  const adapter = (await (await webGpu()).requestAdapter()) as unknown as {
    requestDevice(): Promise<RawDevice>;
  };
  const raw = await adapter.requestDevice();
  const size = 2 ** 27;
  const copies = 16;
  const [from, to] = [1, 2].map(() => raw.createBuffer({ size, usage: 0x4 | 0x8 }));
  let best = Infinity;
  for (let i = 0; i <= repeats; i++) {
    const encoder = raw.createCommandEncoder();
    for (let n = 0; n < copies; n++) encoder.copyBufferToBuffer(from, 0, to, 0, size);
    const commands = encoder.finish();
    const began = performance.now();
    raw.queue.submit([commands]);
    await raw.queue.onSubmittedWorkDone();
    if (i > 0) best = Math.min(best, (performance.now() - began) / 1000);
  }
  from.destroy();
  to.destroy();
  return (2 * size * copies) / best;
}

function normalArray(seed: number, length: number, sigma: number): Float32Array {
  const normal = gaussian(seed);
  return Float32Array.from({ length }, () => sigma * normal());
}

/** Weights of a model, updates drawn on the device from 2^12 quantiles. */
function drawnTensor(elements: number, steps: number): TensorInput {
  const table = normalArray(2, 2 ** 12, 1e-6);
  const updates = Array.from({ length: steps }, (_, step) =>
    drawnValues(elements, { table, key: stepKey(tensorKey(1, "w"), step) }),
  );
  return { ...tensorOf("w", normalArray(1, elements, 0.02)), updates };
}

function resident(elements: number, steps: number): LensJob {
  return {
    tensors: [drawnTensor(elements, steps)],
    stepNumbers: Array.from({ length: steps }, (_, i) => i),
    cases: [updateSettings({ format: "bf16" })],
  };
}

function sweep(elements: number): LensJob {
  const formats = ["bf16", "fp16", "tf32", "e4m3fn", "e5m2"];
  const roundings = ["nearest-even", "nearest-away", "toward-zero", "toward-positive", "to-odd"] as const;
  const schemes = ["in-place", "master", "kahan", "two-term"] as const;
  return {
    tensors: [drawnTensor(elements, 1)],
    stepNumbers: [0],
    cases: formats.flatMap((format) =>
      schemes.flatMap((scheme) => roundings.map((rounding) => updateSettings({ format, scheme, rounding }))),
    ),
  };
}

function recorded(elements: number): LensJob {
  const updates = [3, 4].map((seed) => normalArray(seed, elements, 1e-6));
  return {
    tensors: [tensorOf("w", normalArray(1, elements, 0.02), ...updates)],
    stepNumbers: [0, 1],
    cases: [updateSettings({ format: "bf16" })],
  };
}

function partOf({ tensors: [tensor], stepNumbers, cases }: LensJob): LensJob {
  const length = Math.min(2 ** 18, tensor.weights.length);
  const cut = <T extends { length: number }>(values: T) => ({ ...values, length });
  return {
    tensors: [{ ...tensor, weights: cut(tensor.weights), updates: tensor.updates.slice(0, 1).map(cut) }],
    stepNumbers: stepNumbers.slice(0, 1),
    cases: cases.slice(0, 10),
  };
}

/** The same device, every kernel waited for and timed. */
function withClock(device: Device): { clock: Map<string, number>; device: Device } {
  const clock = new Map<string, number>();
  const timed = async <T>(
    { name }: Kernel,
    work: () => Promise<T>,
    done: (result: T) => Promise<unknown>,
  ) => {
    const began = performance.now();
    const result = await work();
    await done(result);
    clock.set(name, (clock.get(name) ?? 0) + (performance.now() - began) / 1000);
    return result;
  };
  return {
    clock,
    device: {
      backend: device.backend,
      name: device.name,
      hasIntegers: device.hasIntegers,
      upload: (...args) => device.upload(...args),
      download: (array) => device.download(array),
      release: (...arrays) => device.release(...arrays),
      guard: (work) => device.guard(work),
      destroy: () => device.destroy(),
      compute: (kernel, ...rest) =>
        timed(
          kernel,
          () => device.compute(kernel, ...rest),
          (array) => device.download(array),
        ),
      fetch: (kernel, ...rest) =>
        timed(
          kernel,
          () => device.fetch(kernel, ...rest),
          ({ numbers }) => numbers,
        ),
    },
  };
}
