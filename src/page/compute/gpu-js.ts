import { gpuJsHost } from "./load-gpu.js";

/** Resolves `import("#gpu.js")` of engine/gpujs/library.ts in the page's bundle. */
export const GPU = gpuJsHost.precisionLensGpuJs;
