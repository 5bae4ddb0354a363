import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { fullGroups, type Group, groups } from "./test/groups.js";
import { SlowestFirst } from "./test/support/slowest-first.js";
import { SummaryReporter } from "./test/support/summary-reporter.js";

const full = fullGroups(process.env.TEST_FULL);

function project(name: string, members: readonly Group[], tier: "quick" | "full") {
  return {
    extends: true as const,
    test: {
      name,
      include: members.flatMap(({ tests }) => [...tests]),
      exclude: tier === "full" ? [] : ["**/*.full.test.ts"],
      env: { TEST_TIER: tier },
    },
  };
}

const isNamed = process.argv.some((argument) => argument.startsWith("--project"));
// A project has processes of its own. The groups of the quick tier are one, but where a group is asked for by name, or has to
// be apart: they load and compile the same modules.
const together = groups.filter(({ name, apart }) => !isNamed && !apart && !full.has(name));

export default defineConfig({
  test: {
    reporters: ["default", new SummaryReporter(full)],
    pool: "forks",
    // One more than there are cores: tests of pages and of processes wait now and then, for a browser or a signal.
    maxWorkers: availableParallelism() + 1,
    // Files share the modules of a process: loading and compiling them takes longer than most tests. A file that
    // replaces a module loads its own again (vi.resetModules).
    isolate: false,
    // The built command line is called as Node loads it.
    server: { deps: { external: [/\/dist\//] } },
    sequence: { sequencer: SlowestFirst },
    // Only to end what hangs: no test is decided by how busy the machine is.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: [
      ...groups
        .filter((group) => !together.includes(group))
        .map((group) => project(group.name, [group], full.has(group.name) ? "full" : "quick")),
      ...(together.length > 0 ? [project("quick", together, "quick")] : []),
    ],
  },
});
