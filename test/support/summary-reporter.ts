import type { Reporter, TestModule } from "vitest/node";

/** Closes a run with one plain line, `N passed, N failed`, that scripts and people read alike. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const states = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => test.result().state),
    );
    const count = (state: string) => states.filter((of) => of === state).length;
    // A file that does not load has no tests of its own, and an error outside of tests belongs to none.
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length;
    const skipped = count("skipped") > 0 ? `, ${count("skipped")} skipped` : "";
    process.stdout.write(`\n${count("passed")} passed, ${count("failed") + broken} failed${skipped}\n`);
  }
}
