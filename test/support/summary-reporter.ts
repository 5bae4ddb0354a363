import type { Reporter, TestModule } from "vitest/node";
import { notRun } from "./requirements.js";

/** Closes a run with what was left out and why, and one plain line, `N passed, N failed`. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const states = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => test.result().state),
    );
    const count = (state: string) => states.filter((of) => of === state).length;
    // A file that does not load has no tests of its own, and an error outside of tests belongs to none.
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length;
    const skipped = count("skipped") > 0 ? `, ${count("skipped")} skipped` : "";
    const leftOut = modules.flatMap((module) =>
      [...module.children.allSuites()].map(({ name }) => name).filter((name) => name.includes(notRun)),
    );
    process.stdout.write(leftOut.map((name) => `\n${name}`).join(""));
    process.stdout.write(`\n${count("passed")} passed, ${count("failed") + broken} failed${skipped}\n`);
  }
}
