/** gpu.js where the page's bundle finds it. Not `GPU`, under which it makes itself known: browsers with WebGPU have one. */
export const gpuJsHost = globalThis as { precisionLensGpuJs?: unknown };

/**
 * gpu.js travels with the page as compressed text, because few visitors need it: unpacked (raw deflate) and evaluated
 * as the CommonJS module it can be when a GPU is asked for, once.
 */
export async function loadGpu(compressed: ArrayBuffer): Promise<void> {
  if (gpuJsHost.precisionLensGpuJs) return;
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const text = await new Response(stream).text();
  const module = { exports: {} };
  new Function("module", "exports", text).call(globalThis, module, module.exports);
  gpuJsHost.precisionLensGpuJs = module.exports;
}
