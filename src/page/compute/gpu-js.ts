import { gpuJsHost } from "./load-gpu.js";

/** What `import("#gpu.js")` of engine/gpujs/library.ts finds in the page's bundle, which evaluates this file then. */
export const GPU = gpuJsHost.precisionLensGpuJs;
