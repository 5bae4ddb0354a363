/**
 * fast-check as mutation runs see it: instrumented code is about ten times slower, and a mutant is found by the first
 * failure. So few runs a property, always the same ones (a score must not depend on the day), no shrinking.
 */

import { createRequire } from "node:module";
import type { IRawProperty, Parameters } from "fast-check";

// By require, since an import of this name comes back here (vitest.config.ts).
const fc = createRequire(import.meta.url)("fast-check") as typeof import("fast-check");

function assert<T>(property: IRawProperty<T>, parameters: Parameters<T> = {}): Promise<void> | void {
  const numRuns = Math.min(parameters.numRuns ?? 100, 25);
  return fc.assert(property, { ...parameters, numRuns, seed: 20_260_101, endOnFailure: true });
}

export default { ...fc, assert };
