/**
 * What an engine is asked for by: its own name, or one that leaves the choice open. Not told by the engines themselves, which
 * take longer to load than `explain` and the help take to answer.
 */
export const engineNames: readonly string[] = ["auto", "gpu", "wasm", "reference", "webgpu", "gpujs"];
