import { describe, expect, test } from "vitest";
import type { Case } from "../../src/lens/run/case.js";
import type { Result } from "../../src/lens/run/result.js";
import { output } from "../support/cli.js";
import { expectedCases } from "../support/expected.js";
import { recorded, recordedWindows } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";

const ratios = new Set(["apparentSparsity", "realSparsity", "effectiveDescent"]);

/** Integers equal; ratios to 1e-12 of themselves, since numpy adds them up in another order. */
function expectNumbers(actual: object, expected: Readonly<Record<string, unknown>>, subject: string): void {
  for (const [name, value] of Object.entries(expected)) {
    if (typeof value !== "number") continue;
    const found = (actual as Record<string, number>)[name];
    if (!ratios.has(name)) expect(found, `${subject} ${name}`).toBe(value);
    else expect(Math.abs(found - value), `${subject} ${name}`).toBeLessThanOrEqual(1e-12 * Math.abs(value));
  }
}

describe.each(recordedWindows)("the recorded run %s", (window) => {
  test("has the totals that numpy computed", async () => {
    const result: Result = JSON.parse(
      await output(
        "run",
        recorded(window),
        ...["--format", "bf16,fp16,fp32", "--scheme", "in-place,master,kahan", "--json", "-"],
      ),
    );
    expectValid("result", result);
    const expected = expectedCases(window);
    expect(expected).toHaveLength(7);
    for (const { format, scheme, end, ...totals } of expected) {
      const caseResult = result.cases.find(
        (found) => found.format === format && found.scheme === scheme,
      ) as Case;
      expectNumbers(caseResult.totals, totals, `${format} ${scheme}`);
      expectNumbers(caseResult.end, end, `${format} ${scheme} end`);
    }
    for (const caseResult of result.cases) expectConsistent(caseResult);
  });
});

/** What must hold of any case: classes and tensors and steps add up to the totals. */
function expectConsistent({ totals, tensors, steps, histogram }: Case): void {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
  const classes = ["none", "lost", "kept", "moved", "nonfinite"] as const;
  expect(sum(classes.map((className) => totals[className]))).toBe(totals.elements * totals.steps);
  for (const className of classes) {
    expect(sum(steps.map((step) => step[className]))).toBe(totals[className]);
    expect(sum(tensors.map((tensor) => tensor.totals[className]))).toBe(totals[className]);
  }
  for (const className of ["lost", "kept", "moved"] as const)
    expect(sum(histogram[className])).toBe(totals[className]);
}
