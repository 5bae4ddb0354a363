/** The part of WebGPU used here, in browsers and, through Dawn, in Node. TypeScript declares it only with the DOM. */

export interface WebGpu {
  requestAdapter(options?: { readonly powerPreference: "high-performance" }): Promise<GpuAdapter | null>;
}

export type GpuLimits = Readonly<Record<"maxBufferSize" | "maxStorageBufferBindingSize", number>>;

export interface GpuAdapter {
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
    /** Absent in browsers of before 2025. */
    readonly isFallbackAdapter?: boolean;
  };
  readonly limits: GpuLimits;
  requestDevice(options?: { readonly requiredLimits: Partial<GpuLimits> }): Promise<GpuDevice>;
}

export interface GpuBuffer {
  readonly size: number;
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  destroy(): void;
}

/** A compiled kernel. */
export interface GpuPipeline {
  readonly label: string;
}

interface ComputePass {
  setPipeline(pipeline: GpuPipeline): void;
  setBindGroup(index: number, group: object, offsets: readonly number[]): void;
  dispatchWorkgroups(x: number, y: number): void;
  end(): void;
}

interface CommandEncoder {
  beginComputePass(): ComputePass;
  copyBufferToBuffer(from: GpuBuffer, at: number, to: GpuBuffer, toAt: number, bytes: number): void;
  clearBuffer(buffer: GpuBuffer, at: number, bytes: number): void;
  finish(): object;
}

export interface GpuDevice {
  readonly limits: GpuLimits;
  readonly lost: Promise<{ readonly message: string }>;
  readonly queue: {
    submit(commands: readonly object[]): void;
    writeBuffer(to: GpuBuffer, at: number, data: ArrayBufferView, from: number, length: number): void;
    onSubmittedWorkDone(): Promise<void>;
  };
  createBuffer(descriptor: { readonly size: number; readonly usage: number }): GpuBuffer;
  createBindGroupLayout(descriptor: { readonly entries: readonly object[] }): object;
  createPipelineLayout(descriptor: { readonly bindGroupLayouts: readonly object[] }): object;
  createBindGroup(descriptor: { readonly layout: object; readonly entries: readonly object[] }): object;
  createShaderModule(descriptor: { readonly code: string }): object;
  createComputePipelineAsync(descriptor: {
    readonly layout: object;
    readonly compute: object;
  }): Promise<GpuPipeline>;
  createCommandEncoder(): CommandEncoder;
  pushErrorScope(filter: "out-of-memory" | "validation" | "internal"): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
  destroy(): void;
}

/**
 * Workgroup memory is zeroed by a loop and not by the driver: SwiftShader emits a store for each word of it, which takes
 * seconds to compile (measured: 2.5 s per kernel, 0.8 s with a loop).
 */
const dawnFlags = ["disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension"];

/** Kept for the lifetime of the process: if collected while a device is in use, Dawn crashes the process. */
let dawn: WebGpu | null = null;

/**
 * The browser's WebGPU; in Node that of the package `webgpu`, an optional peer dependency (130 MB), installed where
 * gpu.js expects it.
 *
 * @throws Error in one sentence if there is none.
 */
export async function webGpu(): Promise<WebGpu> {
  const host = globalThis as { navigator?: { gpu?: WebGpu } };
  if (host.navigator?.gpu) return host.navigator.gpu;
  if (typeof process === "undefined" || !process.versions?.node)
    throw new Error("this browser has no WebGPU");
  // The name is in a variable so that bundlers for browsers do not resolve it.
  const name = "webgpu";
  let module: { create(flags: string[]): WebGpu; globals: Record<string, unknown> };
  try {
    module = await import(name);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(
      code === "ERR_MODULE_NOT_FOUND"
        ? `the package "webgpu" is not installed; \`npm install ${name}\` adds it beside precision-lens (130 MB)`
        : `the package "webgpu" does not load here: ${message.split("\n")[0]}`,
    );
  }
  expectVulkan();
  dawn ??= module.create(dawnFlags);
  for (const [key, value] of Object.entries(module.globals)) {
    if (!(key in globalThis)) Object.defineProperty(globalThis, key, { value, configurable: true });
  }
  // Node 20 has no navigator; that of Node 21 and later has no gpu.
  if (!host.navigator) Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  Object.defineProperty(host.navigator, "gpu", { value: dawn, configurable: true });
  return dawn;
}

/** An adapter's names of device and driver, and whether it computes on the CPU, as SwiftShader and llvmpipe do. */
export function describeAdapter({ info }: Pick<GpuAdapter, "info">): { name: string; isFallback: boolean } {
  const { vendor, device, architecture, description, isFallbackAdapter = false } = info;
  const words = [device || architecture || vendor, description].filter((word) => word !== "");
  return { name: words.join(", ") || "a GPU that does not tell its name", isFallback: isFallbackAdapter };
}

/** Where the Vulkan loader looks for drivers (Khronos, "Loader interface architecture"). */
const driverFolders = [
  "/etc",
  "/usr/share",
  "/usr/local/etc",
  "/usr/local/share",
  "/run/opengl-driver/share",
];
const driverVariables = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES", "XDG_DATA_DIRS"];

/**
 * Throws on a Linux machine without any Vulkan driver, because Dawn would write errors to stderr itself.
 *
 * @throws Error in one sentence.
 */
function expectVulkan(): void {
  // Absent before Node 20.16: then leave the check to Dawn.
  const files = process.getBuiltinModule?.("node:fs");
  if (process.platform !== "linux" || !files) return;
  const folders = [...driverFolders, `${process.env.HOME}/.local/share`].map(
    (folder) => `${folder}/vulkan/icd.d`,
  );
  const named = driverVariables.some((variable) => process.env[variable]);
  if (!named && !folders.some((folder) => files.existsSync(folder) && files.readdirSync(folder).length > 0)) {
    throw new Error("there is no Vulkan driver");
  }
}
