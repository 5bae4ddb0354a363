import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { fullGroups, groups } from "./test/groups.js";
import { SlowestFirst } from "./test/support/slowest-first.js";
import { SummaryReporter } from "./test/support/summary-reporter.js";

const full = fullGroups(process.env.TEST_FULL);

export default defineConfig({
  test: {
    reporters: ["default", new SummaryReporter(full)],
    pool: "forks",
    // One more than there are cores: tests of pages and of processes wait now and then, for a browser or a signal.
    maxWorkers: availableParallelism() + 1,
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
        // Files of a group share their modules: loading them takes longer than most tests. A file that replaces a module
        // loads its own again (vi.resetModules).
        isolate: false,
        include: [...tests],
        exclude: full.has(name) ? [...except] : [...except, "**/*.full.test.ts"],
        env: { TEST_TIER: full.has(name) ? "full" : "quick" },
      },
    })),
  },
});
