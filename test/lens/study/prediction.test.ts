import { describe, expect, test } from "vitest";
import { format } from "../../../src/format/registry.js";
import { changes, judgedRules, ruleOutcomes, rules, storedAs } from "../../../src/lens/study/prediction.js";

const bf16 = format("bf16");

/** The rules that say that a weight will change; what the update may be is what it is, where nothing else is given. */
function saying(
  { stored, master = stored }: { stored: number; master?: number },
  update: number,
  { least = update, most = update } = {},
): string[] {
  const forecast = { update, least, most };
  return rules.filter((rule) => changes(rule, { stored, master }, forecast, (sum) => storedAs(sum, bf16)));
}

const exact = ["one-step", "residual", "reach"];
const all = ["ulp-rule", ...exact];
const tiny = 2 ** -20;

describe("from the grid, where all rules but the ulp rule are one", () => {
  // At 1 the gap above is 2^-7, below 2^-8; |w| / 256 is 2^-8, half of the gap above.
  test.each<[string, number, number, string[]]>([
    ["half the gap above 1 is a tie, to 1 which is even: the ulp rule is wrong", 1, 2 ** -8, ["ulp-rule"]],
    ["more than half", 1, 2 ** -8 + tiny, all],
    ["less than half", 1, 2 ** -8 - tiny, []],
    ["half the gap below 1, half of that above, is a tie", 1, -(2 ** -9), []],
    ["more than half of that below: the ulp rule is blind", 1, -(2 ** -9) - tiny, exact],
    ["the tie from -1 too", -1, -(2 ** -8), ["ulp-rule"]],
    ["-1 towards zero", -1, 2 ** -9 + tiny, exact],
    // 255/128 is odd: a tie goes away from it. |w| / 256 is all but the whole gap here.
    ["half a gap from an odd significand", 255 / 128, 2 ** -8, exact],
    ["less than half a gap from it", 255 / 128, 2 ** -8 - tiny, []],
    ["a gap but a little", 255 / 128, 2 ** -7 - tiny, [...all]],
    ["no update", 1, 0, []],
    ["no update of zero", 0, 0, []],
    ["any update of zero", 0, 1e-30, all],
  ])("%s", (_, stored, update, expected) => {
    expect(saying({ stored }, update)).toEqual(expected);
  });
});

describe("off the grid the residual decides", () => {
  const almost = 1 + 2 ** -8 - tiny;

  test("a small update is the last straw", () => {
    expect(saying({ stored: 1, master: almost }, 2 * tiny)).toEqual(["residual", "reach"]);
    expect(saying({ stored: 1, master: almost }, -2 * tiny)).toEqual([]);
  });

  test("an update that would show is swallowed", () => {
    expect(saying({ stored: 1, master: 1 - 2 ** -10 }, 2 ** -8 + 2 ** -12)).toEqual(["ulp-rule", "one-step"]);
  });

  test("a tie is the residual's to make", () => {
    // 1 + 2^-8 is a tie, which even 1 keeps; the sum is fp32 before it is bf16, so the least that tips it is 2^-23.
    expect(saying({ stored: 1, master: almost }, tiny)).toEqual([]);
    expect(saying({ stored: 1, master: almost }, tiny + 2 ** -23)).toEqual(["residual", "reach"]);
    expect(saying({ stored: 1, master: almost }, tiny + 2 ** -26)).toEqual([]);
  });
});

describe("reach", () => {
  test("takes what may be for what will be, either way", () => {
    const master = 1 + 2 ** -8 - tiny;
    expect(saying({ stored: 1, master }, 0, { least: -tiny, most: 2 * tiny })).toEqual(["reach"]);
    expect(saying({ stored: 1, master }, 0, { least: -tiny, most: tiny / 2 })).toEqual([]);
    const below = 1 - 2 ** -9 + tiny;
    expect(saying({ stored: 1, master: below }, 0, { least: -2 * tiny, most: tiny })).toEqual(["reach"]);
  });

  test("with nothing unknown it is the residual", () => {
    for (const update of [0, tiny, -tiny, 2 ** -8, -(2 ** -9), 1]) {
      const said = saying({ stored: 1, master: 1 + 2 ** -9 }, update);
      expect(said.includes("reach")).toBe(said.includes("residual"));
    }
  });
});

describe("outcomes", () => {
  const judged = judgedRules.length;
  const step = (changed: number, predicted: number, right: number) => ({
    step: 2,
    changed,
    predicted: Array(judged).fill(predicted),
    right: Array(judged).fill(right),
  });

  test("are of each rule by the moments, then of those that take one update by the gradient", () => {
    expect(ruleOutcomes([]).map(({ rule, knows }) => `${rule} ${knows}`)).toEqual([
      "ulp-rule moments",
      "one-step moments",
      "residual moments",
      "reach moments",
      "ulp-rule gradient",
      "one-step gradient",
      "residual gradient",
    ]);
  });

  test("are each by its own counts", () => {
    const counts = { predicted: [1, 2, 3, 4, 5, 6, 7], right: [1, 1, 2, 2, 3, 3, 4] };
    const found = ruleOutcomes([
      { step: 2, changed: 8, ...counts },
      { step: 3, changed: 2, ...counts },
    ]);
    expect(
      found.map(({ predicted, right, recall, precision }) => [predicted, right, recall, precision]),
    ).toEqual([
      [2, 2, 0.2, 1],
      [4, 2, 0.2, 1 / 2],
      [6, 4, 0.4, 2 / 3],
      [8, 4, 0.4, 1 / 2],
      [10, 6, 0.6, 3 / 5],
      [12, 6, 0.6, 1 / 2],
      [14, 8, 0.8, 4 / 7],
    ]);
  });

  test("are sums over the steps, not means of their shares", () => {
    const [outcome, ...rest] = ruleOutcomes([step(10, 4, 3), step(30, 6, 5)]);
    expect(outcome).toEqual({
      ...judgedRules[0],
      predicted: 10,
      right: 8,
      recall: 0.2,
      precision: 0.8,
    });
    expect(rest).toHaveLength(judged - 1);
  });

  test("of nothing are none", () => {
    expect(ruleOutcomes([])[0]).toMatchObject({ predicted: 0, recall: null, precision: null });
    expect(ruleOutcomes([step(0, 5, 0)])[0]).toMatchObject({ recall: null, precision: 0 });
    expect(ruleOutcomes([step(5, 0, 0)])[0]).toMatchObject({ recall: 0, precision: null });
  });
});
