// MUTATED names one part of src, a folder or a pattern of files; test/mutation/main.ts takes the parts in turn.
const part = process.env.MUTATED ?? "{format,update,lens}";
const report = `reports/mutation/${part.replaceAll(/[^a-z-]+/g, "-")}`;

export default {
  testRunner: "vitest",
  vitest: { configFile: "test/mutation/vitest.config.ts" },
  plugins: ["@stryker-mutator/vitest-runner"],
  // Without the files that hold types only.
  mutate: [
    `src/${part.endsWith(".ts") ? part : `${part}/**/*.ts`}`,
    "!src/lens/run/{result,case}.ts",
    "!src/update/recipe/recipe.ts",
  ],
  coverageAnalysis: "perTest",
  concurrency: 2,
  thresholds: { high: 95, low: 90, break: 90 },
  // Loops that a mutant made endless, not a machine with other work.
  timeoutMS: 20000,
  timeoutFactor: 4,
  // To rewrite it Stryker wants the API of TypeScript 6 and before; nothing reads it in the sandbox.
  tsconfigFile: "none",
  ignorePatterns: ["/dist", "/bench", "/reports"],
  reporters: ["clear-text", "progress-append-only", "json"],
  clearTextReporter: { allowColor: false, logTests: false, allowEmojis: false },
  jsonReporter: { fileName: `${report}.json` },
  incremental: true,
  incrementalFile: `${report}.incremental.json`,
};
