import type { Engine } from "./engine.js";
import { gpujs } from "./gpujs/gpujs.js";
import { reference } from "./reference/reference.js";
import { wasm } from "./wasm/wasm.js";
import { webgpu } from "./webgpu/webgpu.js";

/** The engines by name: CPU engines, fastest first, then device engines, best first. */
export const engines: ReadonlyMap<string, Engine> = new Map(
  [wasm, reference, webgpu, gpujs].map((engine) => [engine.name, engine]),
);
