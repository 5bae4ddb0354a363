import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const short = fileURLToPath(new URL("fast-check.ts", import.meta.url));

/** The tests that have to find the mutants of each folder of src: those of the folder, without the long ones. */
const tests: Readonly<Record<string, readonly string[]>> = {
  format: ["test/format/**/*.test.ts", "test/update/arithmetic.test.ts", "test/mutation/operations.short.ts"],
  update: ["test/update/**/*.test.ts"],
  lens: ["test/lens/**/*.test.ts", "test/engine/lens.test.ts", "test/engine/re{cipes,ference}.test.ts"],
};

const exhaustive = ["exhaustive", "operations.double-rounding", "operations.oracle", "operations.tail"];

export default defineConfig({
  test: {
    include: [
      "test/mutation/loading.short.ts",
      ...(tests[(process.env.MUTATED ?? "").split("/")[0]!] ?? Object.values(tests).flat()),
    ],
    exclude: [
      "**/node_modules/**",
      "**/*.full.test.ts",
      ...exhaustive.map((name) => `test/format/${name}.test.ts`),
    ],
    // As vitest.config.ts: instrumented code is slow, and no test is decided by how busy the machine is.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    setupFiles: fileURLToPath(new URL("skip-long.ts", import.meta.url)),
    alias: [{ find: /^fast-check$/, replacement: short }],
  },
});
