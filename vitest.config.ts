import { defineConfig } from "vitest/config";
import { SlowestFirst } from "./test/support/slowest-first.js";
import { SummaryReporter } from "./test/support/summary-reporter.js";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", new SummaryReporter()],
    pool: "forks",
    // Several suites enumerate millions of cases: more workers than cores only make each of them slower.
    maxWorkers: 2,
    sequence: { sequencer: SlowestFirst },
    // Only to end what hangs: no test is decided by how busy the machine is.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
