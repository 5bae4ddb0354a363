import type { Reporter, TestModule } from "vitest/node";
import { groupOf } from "../groups.js";
import { notRun } from "./requirements.js";

/**
 * Ends a run with the tests and seconds of each group and its tier, the omitted suites with reasons, and one plain line,
 * `N passed, N failed`.
 */
export class SummaryReporter implements Reporter {
  readonly #full: ReadonlySet<string>;

  /** @param full the groups that run in the full tier. */
  constructor(full: ReadonlySet<string>) {
    this.#full = full;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const states = modules.flatMap(statesOf);
    const count = (state: string) => states.filter((found) => found === state).length;
    // A file that does not load has no tests of its own, and an error outside of tests belongs to none.
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length;
    const skipped = count("skipped") > 0 ? `, ${count("skipped")} skipped` : "";
    const leftOut = modules.flatMap((module) =>
      [...module.children.allSuites()].map(({ name }) => name).filter((name) => name.includes(notRun)),
    );
    const lines = [
      ...this.#groups(modules),
      ...leftOut,
      `${count("passed")} passed, ${count("failed") + broken} failed${skipped}`,
    ];
    process.stdout.write(`\n${lines.join("\n")}\n`);
  }

  #groups(modules: readonly TestModule[]): string[] {
    const groupName = ({ moduleId }: TestModule) => groupOf(moduleId).name;
    return [...new Set(modules.map(groupName))].sort().map((name) => {
      const own = modules.filter((module) => groupName(module) === name);
      const tests = own.flatMap(statesOf).length;
      const seconds = own.reduce((sum, module) => sum + secondsOf(module), 0);
      const tier = this.#full.has(name) ? "full " : "quick";
      return `${name.padEnd(10)} ${tier} ${String(tests).padStart(5)} tests ${seconds.toFixed(0).padStart(4)} s`;
    });
  }
}

function statesOf(module: TestModule): string[] {
  return [...module.children.allTests()].map((test) => test.result().state);
}

/** With what it takes to load the file. */
function secondsOf(module: TestModule): number {
  const { duration, collectDuration, setupDuration, prepareDuration, environmentSetupDuration } =
    module.diagnostic();
  return (duration + collectDuration + setupDuration + prepareDuration + environmentSetupDuration) / 1000;
}
