import { engines } from "../../src/engine/registry.js";

/** Every engine of the registry that needs no device, for describe.each: one suite for all. */
export const everyEngine = [...engines.values()].filter(({ worthFrom }) => worthFrom === undefined);
