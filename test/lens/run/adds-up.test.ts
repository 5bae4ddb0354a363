import { describe, expect, test } from "vitest";
import type { DifferenceResult } from "../../../src/lens/difference/difference-result.js";
import { miscountOf, miscountOfDifference } from "../../../src/lens/run/adds-up.js";
import type { Result } from "../../../src/lens/run/result.js";
import { caseOf, resultOf } from "../../support/results.js";

describe("counts of a run that do not add up are named", async () => {
  const whole = resultOf([
    await caseOf([1, 0.5, -2, Number.NaN], [1e-4, 0, 0.5, 1e-3]),
    await caseOf([1, 1], [1, 1e-6], { scheme: "master" }),
  ]);
  const edited = (edit: (cases: Result["cases"]) => void) => {
    const copy = structuredClone(whole);
    edit(copy.cases);
    return miscountOf(copy);
  };
  const one = (counts: object, name: string, more: number) => {
    (counts as Record<string, number>)[name] += more;
  };

  test("none where nothing was edited", () => expect(miscountOf(whole)).toBeNull());

  test("a class that is one too many, of the whole and of a tensor", () => {
    expect(edited(([first]) => one(first.totals, "lost", 1))).toBe(
      "/cases/0/totals, whose classes are 5 weight-steps, not 4 x 1",
    );
    expect(edited(([, second]) => one(second.tensors[0].totals, "moved", 1))).toBe(
      "/cases/1/tensors/0/totals, whose classes are 3 weight-steps, not 2 x 1",
    );
  });

  test("each weight has a class at each step", () => {
    const twice = edited(([{ totals, tensors }]) => {
      for (const counts of [totals, tensors[0].totals]) {
        one(counts, "steps", 1);
        one(counts, "lost", 4);
      }
    });
    expect(twice).toBeNull();
    expect(edited(([{ totals }]) => one(totals, "steps", 1))).toBe(
      "/cases/0/totals, whose classes are 4 weight-steps, not 4 x 2",
    );
  });

  test("a tensor whose classes sum, but not to the whole", () => {
    const changed = edited(([{ tensors }]) => {
      one(tensors[0].totals, "lost", -1);
      one(tensors[0].totals, "moved", 1);
    });
    expect(changed).toBe('/cases/0, whose tensors do not sum to its "lost"');
  });

  test("the end of the run", () => {
    expect(edited(([{ end }]) => one(end, "hidden", 1))).toBe(
      '/cases/0, whose tensors do not sum to its "hidden"',
    );
  });
});

describe("counts of a comparison that do not add up are named", () => {
  const counts = (unchanged: number, changed: number, nonfinite: number) => ({
    ...{ elements: 10, unchanged, changed, nonfinite, signFlips: 0 },
  });
  const miscount = (whole: object, ...tensors: object[]) =>
    miscountOfDifference({ totals: whole, tensors } as unknown as DifferenceResult);

  test("none where they do", () => {
    expect(miscount({ ...counts(12, 7, 1), elements: 20 }, counts(4, 5, 1), counts(8, 2, 0))).toBeNull();
  });

  test("one too many, and a tensor too few", () => {
    expect(miscount(counts(5, 5, 1), counts(5, 5, 0))).toMatch(/^\/totals, which is not its unchanged/);
    expect(miscount(counts(5, 5, 0), counts(5, 4, 0))).toMatch(/^\/tensors\/0, which is not/);
    expect(miscount({ ...counts(12, 7, 1), elements: 20 }, counts(4, 5, 1))).toBe(
      '/totals, to whose "elements" the tensors do not sum',
    );
  });
});
