import { describe, expect, test } from "vitest";
import type { Learner } from "../../../src/page/learn/duel.js";
import { heading, lensSentence, lensTone } from "../../../src/page/learn/sentences.js";

const counted = (
  retained: number | null,
  totals: Partial<Learner["counted"]["totals"]>,
  rounding: Learner["counted"]["rounding"] = "nearest-even",
) =>
  ({
    rounding,
    totals: { none: 0, lost: 0, kept: 0, moved: 0, nonfinite: 0, ...totals },
    end: { retained, nonfinite: 0 },
  }) as unknown as Learner["counted"];

test("a model with weights that are NaN or Inf is not said to keep its updates", () => {
  const whole = counted(1, { moved: 4 });
  const broken = { ...whole, end: { ...whole.end, nonfinite: 3 } };
  expect(lensSentence("fp16", broken)).toBe(
    "3 weights are NaN or Inf; the others retain 100.0% of the fp32 displacement.",
  );
  expect(lensTone(broken)).toBe("lost");
  const losing = counted(0.4, { moved: 4, lost: 4, nonfinite: 3 });
  expect(lensSentence("fp16", { ...losing, end: { ...losing.end, nonfinite: 3 } })).toBe(
    "Storage lost 50.0% of the nonzero updates of finite weights; " +
      "40.0% of the fp32 displacement of the finite weights is retained.",
  );
});

describe("what storage did to the updates of a model", () => {
  test.each([
    [null, { none: 5 }, /^No update was made.*nothing to retain/, ""],
    [null, { nonfinite: 5 }, /^5 results are not finite/, ""],
    [null, { moved: 4 }, /updates cancel/, ""],
    [0.99, { moved: 4 }, /^fp16 keeps its updates: 99\.0% /, "kept"],
    [
      0.908,
      { moved: 3, lost: 1, none: 6 },
      /^Storage lost 25\.0% of the updates that were not zero; 90\.8% /,
      "lost",
    ],
  ] as const)("retained %d of %o", (retained, totals, sentence, tone) => {
    expect(lensSentence("fp16", counted(retained, totals))).toMatch(sentence);
    expect(lensTone(counted(retained, totals))).toBe(tone);
  });

  test("by chance is not lost", () => {
    const byChance = counted(0.9, { moved: 1, lost: 1 }, "stochastic");
    expect(lensSentence("bf16", byChance)).toMatch(/^50\.0% .* by chance/);
    expect(lensTone(byChance)).toBe("");
  });
});

test("the end says what the cast alone changed, and only where it did", () => {
  const said = (cast: number) =>
    heading("e2m1fn", 300, [[], []], { base: 0.664, cast, learners: [0.1, 0.85] });
  expect(said(0.1)).toContain(
    "before training: 66.4% right; after the cast to e2m1fn, still untrained: *10.0%*",
  );
  expect(said(0.664)).not.toContain("cast");
});
