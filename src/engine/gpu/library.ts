import type { GPU } from "gpu.js";

/** The only file that loads packages: gpu.js, and in Node Dawn, which brings WebGPU there. */

/** What this project uses of `navigator.gpu`. */
export interface WebGpu {
  requestAdapter(): Promise<Adapter | null>;
}

export interface Adapter {
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
  };
}

type GpuClass = typeof GPU;

export type { GPU, IKernelRunShortcut } from "gpu.js";

/** gpu.js, a CommonJS module whose export differs from loader to loader. */
export async function loadGpuJs(): Promise<GpuClass> {
  const module = (await import("gpu.js")) as unknown as { GPU?: GpuClass; default?: { GPU?: GpuClass } };
  const found = module.GPU ?? module.default?.GPU ?? module.default;
  if (typeof found !== "function") throw new Error("gpu.js has no GPU");
  return found as GpuClass;
}

/** Kept for as long as the process lives: collected, Dawn takes the process with it while a device is in use. */
let dawn: WebGpu | null = null;

/**
 * The browser's WebGPU; in Node that of the optional package `webgpu`, put where gpu.js looks for it.
 *
 * @throws Error in one sentence if there is none.
 */
export async function webGpu(): Promise<WebGpu> {
  const host = globalThis as { navigator?: { gpu?: WebGpu } };
  if (host.navigator?.gpu) return host.navigator.gpu;
  if (typeof process === "undefined" || !process.versions?.node)
    throw new Error("this browser has no WebGPU");
  // A name in a variable: bundlers for browsers leave it alone.
  const name = "webgpu";
  let module: { create(flags: string[]): WebGpu; globals: Record<string, unknown> };
  try {
    module = await import(name);
  } catch {
    throw new Error(`the optional package "webgpu" is not installed, or not built for this platform`);
  }
  expectVulkan();
  dawn ??= module.create([]);
  for (const [key, value] of Object.entries(module.globals)) {
    if (!(key in globalThis)) Object.defineProperty(globalThis, key, { value, configurable: true });
  }
  // Node 20 has no navigator, Node 21 and later one without gpu.
  if (!host.navigator) Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  Object.defineProperty(host.navigator, "gpu", { value: dawn, configurable: true });
  return dawn;
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
 * Asks Dawn for nothing on a Linux machine without any Vulkan driver: it would complain on stderr by itself.
 *
 * @throws Error in one sentence.
 */
function expectVulkan(): void {
  // Absent before Node 20.16: then Dawn is asked.
  const files = process.getBuiltinModule?.("node:fs");
  if (process.platform !== "linux" || !files) return;
  const folders = [...driverFolders, `${process.env.HOME}/.local/share`].map((of) => `${of}/vulkan/icd.d`);
  const named = driverVariables.some((variable) => process.env[variable]);
  if (!named && !folders.some((folder) => files.existsSync(folder) && files.readdirSync(folder).length > 0)) {
    throw new Error("there is no Vulkan driver");
  }
}
