import { describeAdapter, type GpuBuffer, type GpuDevice, type GpuPipeline, webGpu } from "./dawn.js";

/** Bytes of a slot of parameters: no device requires a larger alignment. */
export const slotBytes = 256;

const usage = { mapRead: 1, copySrc: 4, copyDst: 8, uniform: 64, storage: 128 } as const;
const mapRead = 1;
const computeStage = 4;

/** The bindings of a kernel, in this order: parameters of the call, then words. */
export const bindings = `
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> constants: array<u32>;
@group(0) @binding(2) var<storage, read_write> updates: array<u32>;
@group(0) @binding(3) var<storage, read_write> fp32: array<u32>;
@group(0) @binding(4) var<storage, read_write> state: array<u32>;
@group(0) @binding(5) var<storage, read_write> counts: array<atomic<u32>>;
`;

/** The buffers of a kernel. */
export interface Bound {
  readonly parameters: GpuBuffer;
  readonly constants: GpuBuffer;
  readonly updates: GpuBuffer;
  readonly fp32: GpuBuffer;
  readonly state: GpuBuffer;
  readonly counts: GpuBuffer;
}

/** A kernel call with its bindings. */
export interface Launch {
  readonly kernel: string;
  readonly bound: object;
  /** The index of the parameters' slot. */
  readonly slot: number;
  readonly groups: number;
}

/** The engine's interface to a WebGPU device: kernels by their text, over buffers of words in device memory. */
export interface Device {
  /** The names of device and driver. */
  readonly name: string;
  /** Whether it is a driver that computes on the CPU. */
  readonly isFallback: boolean;
  /** The maximum number of words in a buffer. */
  readonly mostWords: number;
  /** Compiles new kernels, all in parallel. */
  compile(kernels: Iterable<string>): Promise<void>;
  buffer(words: number): GpuBuffer;
  /** A buffer of slots of parameters. */
  parameters(slots: readonly Uint32Array[]): GpuBuffer;
  bind(bound: Bound): object;
  write(to: GpuBuffer, words: Uint32Array | Float32Array, atWord?: number): void;
  clear(buffer: GpuBuffer, atWord: number, words: number): void;
  /** Copies words to the beginning of another buffer. */
  copy(from: GpuBuffer, atWord: number, to: GpuBuffer, words: number): void;
  /** Submits kernels, which the device runs in order. */
  launch(launches: readonly Launch[]): void;
  /** Resolves when all submitted work is done. */
  done(): Promise<void>;
  read(from: GpuBuffer, words: number, atWord?: number): Promise<Uint32Array<ArrayBuffer>>;
  /**
   * Runs work whose results are valid only if the device reports no error meanwhile.
   *
   * @throws Error in one sentence if the device ran out of memory, was lost, or rejected an operation.
   */
  guard<T>(work: () => Promise<T>): Promise<T>;
  destroy(): void;
}

/** Limits requested at the maximum of the adapter. */
const wanted = ["maxBufferSize", "maxStorageBufferBindingSize"] as const;

/**
 * Opens the device of the browser, or in Node that of Dawn.
 *
 * @throws Error in one sentence if this machine has none.
 */
export async function openDevice(): Promise<Device> {
  const adapter = await (await webGpu()).requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("it finds no driver, or none that it accepts");
  const requiredLimits = Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]]));
  const device = await adapter.requestDevice({ requiredLimits });
  return new WebGpuDevice(device, describeAdapter(adapter));
}

class WebGpuDevice implements Device {
  readonly name: string;
  readonly isFallback: boolean;
  readonly mostWords: number;
  readonly #device: GpuDevice;
  readonly #layout: object;
  readonly #pipelines = new Map<string, GpuPipeline>();
  #lost: string | null = null;

  constructor(device: GpuDevice, { name, isFallback }: ReturnType<typeof describeAdapter>) {
    this.name = name;
    this.isFallback = isFallback;
    this.#device = device;
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    this.mostWords = Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize, 2 ** 32) / 4);
    const storage = (binding: number, type: string) => ({
      binding,
      visibility: computeStage,
      buffer: { type },
    });
    this.#layout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: computeStage, buffer: { type: "uniform", hasDynamicOffset: true } },
        storage(1, "read-only-storage"),
        ...[2, 3, 4, 5].map((binding) => storage(binding, "storage")),
      ],
    });
    device.lost.then(({ message }) => {
      this.#lost = message || "no reason was given";
    });
  }

  async compile(kernels: Iterable<string>): Promise<void> {
    const missing = [...new Set(kernels)].filter((text) => !this.#pipelines.has(text));
    const layout = this.#device.createPipelineLayout({ bindGroupLayouts: [this.#layout] });
    await this.guard(() =>
      Promise.all(
        missing.map(async (code) => {
          const module = this.#device.createShaderModule({ code });
          const compute = { module, entryPoint: "main" };
          this.#pipelines.set(code, await this.#device.createComputePipelineAsync({ layout, compute }));
        }),
      ),
    );
  }

  buffer(words: number): GpuBuffer {
    const size = 4 * Math.max(4, words);
    return this.#device.createBuffer({ size, usage: usage.storage | usage.copySrc | usage.copyDst });
  }

  parameters(slots: readonly Uint32Array[]): GpuBuffer {
    const words = new Uint32Array((slots.length * slotBytes) / 4);
    for (const [i, slot] of slots.entries()) words.set(slot, (i * slotBytes) / 4);
    const buffer = this.#device.createBuffer({
      size: words.byteLength,
      usage: usage.uniform | usage.copyDst,
    });
    this.write(buffer, words);
    return buffer;
  }

  bind({ parameters, ...words }: Bound): object {
    const { constants, updates, fp32, state, counts } = words;
    return this.#device.createBindGroup({
      layout: this.#layout,
      entries: [
        { binding: 0, resource: { buffer: parameters, size: slotBytes } },
        ...[constants, updates, fp32, state, counts].map((buffer, i) => ({
          binding: i + 1,
          resource: { buffer },
        })),
      ],
    });
  }

  write(to: GpuBuffer, words: Uint32Array | Float32Array, atWord = 0): void {
    // In pieces, because each is copied on the way.
    const piece = 2 ** 24;
    for (let at = 0; at < words.length; at += piece) {
      const length = Math.min(piece, words.length - at);
      this.#device.queue.writeBuffer(to, 4 * (atWord + at), words, at, length);
    }
  }

  clear(buffer: GpuBuffer, atWord: number, words: number): void {
    const encoder = this.#device.createCommandEncoder();
    encoder.clearBuffer(buffer, 4 * atWord, 4 * words);
    this.#device.queue.submit([encoder.finish()]);
  }

  copy(from: GpuBuffer, atWord: number, to: GpuBuffer, words: number): void {
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 4 * atWord, to, 0, 4 * words);
    this.#device.queue.submit([encoder.finish()]);
  }

  launch(launches: readonly Launch[]): void {
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { kernel, bound, slot, groups } of launches) {
      pass.setPipeline(this.#pipelines.get(kernel)!);
      pass.setBindGroup(0, bound, [slot * slotBytes]);
      // A dimension has at most 65535 workgroups.
      const rows = Math.ceil(groups / 2 ** 15);
      pass.dispatchWorkgroups(Math.ceil(groups / rows), rows);
    }
    pass.end();
    this.#device.queue.submit([encoder.finish()]);
  }

  done(): Promise<void> {
    return this.#device.queue.onSubmittedWorkDone();
  }

  async read(from: GpuBuffer, words: number, atWord = 0): Promise<Uint32Array<ArrayBuffer>> {
    const size = 4 * Math.max(1, words);
    const staging = this.#device.createBuffer({ size, usage: usage.mapRead | usage.copyDst });
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 4 * atWord, staging, 0, size);
    this.#device.queue.submit([encoder.finish()]);
    await staging.mapAsync(mapRead);
    const copy = staging.getMappedRange().slice(0);
    staging.destroy();
    return new Uint32Array(copy, 0, words);
  }

  async guard<T>(work: () => Promise<T>): Promise<T> {
    const scopes = ["out-of-memory", "validation", "internal"] as const;
    for (const scope of scopes) this.#device.pushErrorScope(scope);
    const result = await work().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    let failure: string | null = null;
    for (const scope of scopes.toReversed()) {
      const error = await this.#device.popErrorScope().catch(() => null);
      if (error) failure = `the GPU failed (${scope}): ${error.message.trim().split("\n")[0]}`;
    }
    if (this.#lost !== null) throw new Error(`the GPU was lost: ${this.#lost.trim().split("\n")[0]}`);
    if (failure !== null) throw new Error(failure);
    if ("error" in result) throw result.error;
    return result.value;
  }

  destroy(): void {
    this.#device.destroy();
  }
}
