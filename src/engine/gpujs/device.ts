import { describeAdapter, webGpu } from "../webgpu/dawn.js";
import { type Kernel, powers } from "./kernels/kernel.js";
import { type GPU, type IKernelRunShortcut, loadGpuJs } from "./library.js";

/** GPU backends, best first: WebGPU (browsers, and Node through Dawn), WebGL2, headless-gl if installed. */
export const backends = ["webgpu", "webgl2", "headlessgl"] as const;
export type Backend = (typeof backends)[number];

/** Numbers on a device. */
export interface DeviceArray {
  readonly handle: unknown;
}

/** Numbers in transfer from a device. */
export interface Fetched {
  readonly numbers: Promise<Float32Array>;
}

/** Width, or width and height, of a kernel's output. */
export type Output = readonly [number] | readonly [number, number];
export type Argument = DeviceArray | number;

/** The engine's interface to a GPU: kernels over arrays of fp32 numbers in device memory. */
export interface Device {
  readonly backend: Backend;
  /** The names of device and driver. */
  readonly name: string;
  /** Whether it is a WebGPU driver that computes on the CPU. */
  readonly isFallback: boolean;
  /** Whether `^` is an integer operation, so that the device can compute random bits. */
  readonly hasIntegers: boolean;
  upload(numbers: Float32Array): Promise<DeviceArray>;
  /** Runs a kernel that returns one number per thread; the result stays on the device. */
  compute(kernel: Kernel, output: Output, ...inputs: readonly Argument[]): Promise<DeviceArray>;
  /**
   * Runs a kernel and transfers its numbers to the host, row by row, four per thread if it returns vectors. When the
   * call returns, its inputs may be released; the numbers arrive later.
   */
  fetch(kernel: Kernel, output: Output, ...inputs: readonly Argument[]): Promise<Fetched>;
  download(array: DeviceArray): Promise<Float32Array>;
  /** Frees arrays; work submitted before can still read them. */
  release(...arrays: readonly DeviceArray[]): void;
  /**
   * Runs work whose results are valid only if the device reports no error meanwhile.
   *
   * @throws Error in one sentence if the device ran out of memory, was lost, or rejected an operation.
   */
  guard(work: () => Promise<void>): Promise<void>;
  /** Destroys the device, to simulate a loss; WebGPU only. */
  lose?(): void;
  destroy(): Promise<void>;
}

/** The part of a WebGL context used here: the name of its renderer. */
interface GlContext {
  readonly RENDERER: number;
  getExtension(name: string): { readonly UNMASKED_RENDERER_WEBGL: number } | null;
  getParameter(name: number): unknown;
  getError(): number;
}

/** The part of a WebGPU device used here. */
interface WebGpuDevice {
  destroy(): void;
  pushErrorScope(filter: "out-of-memory" | "validation" | "internal"): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
}

/** The part of a gpu.js kernel used here, besides the call. */
interface BuiltKernel {
  readonly kernel: {
    readonly built: boolean;
    readonly context: { readonly device: WebGpuDevice } | null;
    build(...args: readonly unknown[]): Promise<void>;
    readonly constructor: { readonly mode: string };
  };
}

interface Result {
  toArray(): unknown;
  delete(): void;
}

const identity: Kernel = {
  name: "copy",
  functions: [],
  source: "function (numbers) { return numbers[this.thread.x]; }",
};
/**
 * Opens a device.
 *
 * @throws Error in one sentence if none is available.
 */
export async function openDevice(backend: Backend): Promise<Device> {
  const adapter = backend === "webgpu" ? await webGpuAdapter() : null;
  const GpuJs = await loadGpuJs();
  if (backend === "webgl2" && !GpuJs.isWebGL2Supported) throw new Error("there is none outside of browsers");
  if (backend === "headlessgl" && !GpuJs.isHeadlessGLSupported)
    throw new Error(`the package "gl" is not installed`);
  const gpu: GPU = new GpuJs({ mode: backend as "gpu" });
  const device = new GpuJsDevice(gpu, backend);
  try {
    // gpu.js silently falls back to another backend if this one is unavailable.
    const probe = await device.upload(Float32Array.of(1));
    const [one] = await device.download(probe);
    if (device.mode !== (backend === "webgpu" ? "webgpu" : "gpu"))
      throw new Error(`gpu.js has no ${backend} here, it would use ${device.mode}`);
    if (one !== 1) throw new Error("a number did not come back as it was sent");
    device.release(probe);
    device.name = adapter?.name ?? device.describeGl();
    device.isFallback = adapter?.isFallback ?? false;
    return device;
  } catch (error) {
    await device.destroy();
    throw error;
  }
}

async function webGpuAdapter(): Promise<ReturnType<typeof describeAdapter>> {
  const adapter = await (await webGpu()).requestAdapter();
  if (!adapter) throw new Error("it finds no driver, or none that it accepts");
  return describeAdapter(adapter);
}

class GpuJsDevice implements Device {
  readonly backend: Backend;
  readonly #gpu: GPU;
  /** Compiled kernels, by text and by whether the result stays on the device. */
  readonly #kernels = new Map<string, IKernelRunShortcut>();
  #webGpuDevice: WebGpuDevice | null = null;
  name = "";
  isFallback = false;
  mode = "";

  constructor(gpu: GPU, backend: Backend) {
    this.#gpu = gpu;
    this.backend = backend;
  }

  get hasIntegers(): boolean {
    return this.backend === "webgpu";
  }

  upload(numbers: Float32Array): Promise<DeviceArray> {
    return this.compute(identity, [numbers.length], { handle: numbers });
  }

  async compute(kernel: Kernel, output: Output, ...inputs: readonly Argument[]): Promise<DeviceArray> {
    const launched = await this.#launch(kernel, true, output, inputs);
    return { handle: await launched.result };
  }

  async fetch(kernel: Kernel, output: Output, ...inputs: readonly Argument[]): Promise<Fetched> {
    const launched = await this.#launch(kernel, false, output, inputs);
    return { numbers: Promise.resolve(launched.result).then(flat) };
  }

  async download({ handle }: DeviceArray): Promise<Float32Array> {
    return flat(await (handle as Result).toArray());
  }

  release(...arrays: readonly DeviceArray[]): void {
    for (const { handle } of arrays) (handle as Result).delete();
  }

  async guard(work: () => Promise<void>): Promise<void> {
    const scopes = ["out-of-memory", "validation", "internal"] as const;
    for (const scope of scopes) this.#webGpuDevice?.pushErrorScope(scope);
    let failure: unknown = null;
    try {
      await work();
    } catch (error) {
      failure = error;
    }
    for (const scope of scopes.toReversed()) {
      const error = await this.#webGpuDevice?.popErrorScope().catch((reason: unknown) => reason as Error);
      if (error) throw new Error(`the GPU failed (${scope}): ${error.message.split("\n")[0]}`);
    }
    if (failure !== null) throw failure;
    const code = this.#gl?.getError() ?? 0;
    if (code !== 0) throw new Error(`the GPU failed (WebGL error 0x${code.toString(16)})`);
  }

  lose(): void {
    this.#webGpuDevice?.destroy();
  }

  async destroy(): Promise<void> {
    await this.#gpu.destroy();
  }

  get #gl(): GlContext | null {
    return this.backend === "webgpu" ? null : (this.#gpu as unknown as { context: GlContext }).context;
  }

  /** The renderer as reported by WebGL. */
  describeGl(): string {
    const context = this.#gl;
    const unmasked = context?.getExtension("WEBGL_debug_renderer_info");
    return String(
      context?.getParameter(unmasked?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER) ?? "a GPU without a name",
    );
  }

  /**
   * Submits a kernel's work before it returns. A new kernel is compiled first; its output size is set after that,
   * because other calls may run in between.
   */
  async #launch(kernel: Kernel, stays: boolean, output: Output, inputs: readonly Argument[]) {
    const args = inputs.map((input) => (typeof input === "number" ? input : input.handle));
    const compiled = this.#kernel(kernel, stays, output);
    const { kernel: built } = compiled as unknown as BuiltKernel;
    if (this.backend === "webgpu" && !built.built) {
      await built.build(...args);
      this.#webGpuDevice = built.context?.device ?? null;
    }
    compiled.setOutput([...output]);
    return { result: (compiled as unknown as (...args: readonly unknown[]) => unknown)(...args) };
  }

  #kernel({ name, source, functions }: Kernel, stays: boolean, output: Output): IKernelRunShortcut {
    const key = [name, source, ...functions.map((helper) => helper.source), stays, output.length].join("\n");
    let kernel = this.#kernels.get(key);
    if (!kernel) {
      kernel = this.#gpu.createKernel(source as unknown as () => number, {
        output: [...output],
        precision: "single",
        tactic: "precision",
        dynamicOutput: true,
        dynamicArguments: true,
        pipeline: stays,
        immutable: stays,
        constants: { powers },
        functions: functions.map((helper) => ({
          source: helper.source,
          settings: {
            returnType: "Number",
            argumentTypes: Object.fromEntries(helper.arguments.map((name) => [name, "Number"])),
          },
        })) as never,
      });
      kernel.setLoopMaxIterations(8192);
      this.#kernels.set(key, kernel);
    }
    this.mode = (kernel as unknown as BuiltKernel).kernel.constructor.mode;
    return kernel;
  }
}

/** Flattens the nested arrays of gpu.js into memory order. */
function flat(numbers: unknown): Float32Array {
  if (numbers instanceof Float32Array) return numbers;
  const parts = (numbers as readonly unknown[]).map(flat);
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
