import type { GPU } from "#gpu.js";

/** The only file that loads gpu.js, which the build bundles into dist/vendor (package.json, "imports"). */

type GpuClass = typeof GPU;

export type { GPU, IKernelRunShortcut } from "#gpu.js";

/** gpu.js is a CommonJS module; where its export appears depends on the loader. */
export async function loadGpuJs(): Promise<GpuClass> {
  const module = (await import("#gpu.js")) as unknown as { GPU?: GpuClass; default?: { GPU?: GpuClass } };
  const found = module.GPU ?? module.default?.GPU ?? module.default;
  if (typeof found !== "function") throw new Error("gpu.js has no GPU");
  return found as GpuClass;
}
