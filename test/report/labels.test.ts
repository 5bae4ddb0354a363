import { describe, expect, test } from "vitest";
import type { Case } from "../../src/lens/run/case.js";
import { caseInWords, caseLabels, stepsInWords } from "../../src/report/labels.js";
import { caseOf, resultOf } from "../support/results.js";

const counted = await caseOf([1], [1]);
const like = (changes: Partial<Case>): Case => ({ ...counted, ...changes });

describe("caseLabels", () => {
  test.each<[Partial<Case>, string]>([
    [{}, "bf16 in-place"],
    [{ format: "fp16", scheme: "master" }, "fp16 master"],
    [{ rounding: "toward-zero" }, "bf16 in-place toward-zero"],
    [{ rounding: "stochastic" }, "bf16 stochastic"],
    [{ scheme: "kahan", rounding: "stochastic" }, "bf16 kahan stochastic"],
    [{ opmath: "exact" }, "bf16 in-place exact"],
  ])("of %o is %s", (changes, label) => {
    expect(caseLabels([like(changes)])).toEqual([label]);
  });

  test("tells all cases of a grid apart", () => {
    const grid = ["in-place", "master", "kahan", "two-term"].flatMap((scheme) =>
      ["nearest-even", "toward-zero", "stochastic"].flatMap((rounding) =>
        ["fp32", "exact"].map((opmath) => like({ scheme, rounding, opmath })),
      ),
    );
    expect(new Set(caseLabels(grid)).size).toBe(grid.length);
  });

  test("a format's own name cannot reach the terminal as a control sequence", () => {
    expect(caseLabels([like({ format: "x\u001b[2J" })])).toEqual(["x\\u001b[2J in-place"]);
    expect(caseInWords(like({ format: "x\u001b[2J" }))).toBe("x\\u001b[2J in-place");
  });
});

describe("caseInWords", () => {
  test.each<[Partial<Case>, string]>([
    [{}, "bf16 in-place"],
    [{ scheme: "master" }, "bf16 with an fp32 master"],
    [{ scheme: "kahan" }, "bf16 with Kahan compensation"],
    [{ rounding: "stochastic" }, "bf16 in-place with stochastic rounding"],
  ])("of %o is %s", (changes, words) => {
    expect(caseInWords(like(changes))).toBe(words);
  });
});

describe("stepsInWords", () => {
  test.each<[number[], string]>([
    [[0], "1 step"],
    [[0, 1, 2], "3 steps"],
    [[292, 293, 299], "3 steps (292 to 299)"],
    [[], "0 steps"],
  ])("of %j is %s", (stepNumbers, words) => {
    const result = resultOf([counted]);
    expect(stepsInWords({ ...result, input: { ...result.input, stepNumbers } })).toBe(words);
  });
});
