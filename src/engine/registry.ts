import type { Engine } from "./engine.js";
import { gpujs } from "./gpujs/gpujs.js";
import { reference } from "./reference/reference.js";
import { wasm } from "./wasm/wasm.js";
import { webgpu } from "./webgpu/webgpu.js";

/** The engines by name: those of the CPU, fastest first, then those of devices, best first. */
export const engines: ReadonlyMap<string, Engine> = new Map(
  [wasm, reference, webgpu, gpujs].map((engine) => [engine.name, engine]),
);
