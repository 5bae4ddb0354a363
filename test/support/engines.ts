import { engines } from "../../src/engine/registry.js";

/** Every engine of the registry, for describe.each: one suite for all. */
export const everyEngine = [...engines.values()];
