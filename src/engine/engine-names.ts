/**
 * The names of engines, including those that leave the choice open. Listed here because loading the engines
 * takes longer than `explain` or the help.
 */
export const engineNames: readonly string[] = ["auto", "gpu", "wasm", "reference", "webgpu", "gpujs"];
