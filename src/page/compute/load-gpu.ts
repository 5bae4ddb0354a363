import { inflate } from "./inflate.js";

/** Holds gpu.js for the page's bundle. Not under its own name `GPU`, which browsers with WebGPU define. */
export const gpuJsHost = globalThis as { precisionLensGpuJs?: unknown };

/**
 * Unpacks gpu.js and evaluates it as a CommonJS module, once, when a GPU is first requested. The page
 * embeds it compressed because few visitors need it.
 */
export async function loadGpu(compressed: ArrayBuffer): Promise<void> {
  if (gpuJsHost.precisionLensGpuJs) return;
  const text = await inflate(compressed).text();
  const module = { exports: {} };
  new Function("module", "exports", text).call(globalThis, module, module.exports);
  gpuJsHost.precisionLensGpuJs = module.exports;
}
