import { expect, it } from "vitest";

/**
 * A mutant that keeps a module from loading fails whole test files but no test, which Stryker takes for survival; so
 * here loading is a test.
 */
it.each(
  Object.entries({
    "format/registry": () => import("../../src/format/registry.js"),
    "format/operations": () => import("../../src/format/operations.js"),
    "update/apply": () => import("../../src/update/apply.js"),
    "update/optimizer": () => import("../../src/update/optimizer.js"),
    "update/recipe/intended": () => import("../../src/update/recipe/intended.js"),
    "lens/module": () => import("../../src/lens/module.js"),
    "lens/explain/explain": () => import("../../src/lens/explain/explain.js"),
    "lens/run/merge": () => import("../../src/lens/run/merge.js"),
  }),
)("%s loads", async (_, load) => {
  expect(Object.keys(await load())).not.toEqual([]);
});
