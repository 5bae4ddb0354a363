import { defineConfig } from "vitest/config";
import { fullGroups, groups } from "./test/groups.js";
import { SlowestFirst } from "./test/support/slowest-first.js";
import { SummaryReporter } from "./test/support/summary-reporter.js";

const full = fullGroups(process.env.TEST_FULL);

export default defineConfig({
  test: {
    reporters: ["default", new SummaryReporter(full)],
    pool: "forks",
    // All cores: what works in the tests is the tests.
    maxWorkers: "100%",
    // The built command line is called as Node loads it.
    server: { deps: { external: [/\/dist\//] } },
    sequence: { sequencer: SlowestFirst },
    // Only to end what hangs: no test is decided by how busy the machine is.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: groups.map(({ name, tests, except = [] }) => ({
      extends: true,
      test: {
        name,
        // What only computes shares its modules with other files: loading them takes longer than most tests.
        isolate: ![
          "format",
          "update",
          "lens",
          "report",
          "engine",
          "testing",
          "cli",
          "source",
          "learn",
          "geometry",
          "page",
          "recorders",
        ].includes(name),
        include: [...tests],
        exclude: full.has(name) ? [...except] : [...except, "**/*.full.test.ts"],
        env: { TEST_TIER: full.has(name) ? "full" : "quick" },
      },
    })),
  },
});
