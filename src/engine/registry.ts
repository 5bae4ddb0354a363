import type { Engine } from "./engine.js";
import { gpu } from "./gpu/gpu.js";
import { reference } from "./reference/reference.js";
import { wasm } from "./wasm/wasm.js";

/** The engines by name: those of the CPU, fastest first, then those of devices. */
export const engines: ReadonlyMap<string, Engine> = new Map(
  [wasm, reference, gpu].map((engine) => [engine.name, engine]),
);
