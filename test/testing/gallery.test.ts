import { describe, expect, it } from "vitest";
import { round } from "../../src/format/round.js";
import { ArithmeticMismatch, checkRounding } from "../../src/testing/index.js";
import { sized } from "../support/tier.js";
import { gallery, masters, negativeTruncated, withTwoMistakes } from "./gallery.js";

/** What a check throws. */
function mismatchOf(check: () => unknown): ArithmeticMismatch {
  try {
    check();
  } catch (error) {
    if (error instanceof ArithmeticMismatch) return error;
    throw error;
  }
  throw new Error("no mistake was found");
}

describe("a gallery of mistakes: each is found at level 1 and named", () => {
  it.each(gallery)("$of: $name", ({ name, check }) => {
    const { mistakes, wrong, cases, message } = mismatchOf(check);
    expect(mistakes[0]?.name, message).toBe(name);
    expect(message).toMatch(/^\S.*: [\d,]+ of [\d,]+ cases are wrong/);
    expect(message).toMatch(new RegExp(`\\[${name}\\]: this explains (all of them|99\\.\\d %)\\.`));
    expect(wrong).toBeLessThan(cases);
  });

  it("two mistakes at once are both named", () => {
    const { mistakes } = mismatchOf(withTwoMistakes);
    expect(mistakes.map(({ name }) => name).sort()).toEqual(["half away", "wrong overflow"]);
  });

  it("one wrong case is told in the singular", () => {
    let isFirst = true;
    const once = (x: number) => {
      if (x !== 1 || !isFirst) return round(x, "e2m1fn");
      isFirst = false;
      return 2;
    };
    const { message } = mismatchOf(() => checkRounding(once, "e2m1fn", { level: 1 }));
    expect(message).toMatch(/: 1 of [\d,]+ cases is wrong \(under 0\.1 %\)/);
  });

  it("a mistake that contradicts right results is not named", () => {
    const { mistakes, message } = mismatchOf(negativeTruncated);
    expect(mistakes).toEqual([]);
    expect(message).toContain("It looks like none of the known mistakes.");
  });
});

describe("what is right passes at level 2", () => {
  // The quick tier leaves out what takes longest: operations of fp32.
  it.each(sized({ quick: masters.filter(({ of: subject }) => !/^fp32 /.test(subject)), full: masters }))(
    "$of",
    ({ check }) => {
      expect(check()).toMatchObject({ cases: expect.any(Number) });
    },
  );
});
