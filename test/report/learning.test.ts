import { expect, test } from "vitest";
import type { LearnResult, LearnRun } from "../../src/lens/learning/learning.js";
import { learnHeadline } from "../../src/report/learning.js";

function run(format: string, pass: number): LearnRun {
  const passAt = (first: number) => ({ "1": first, "32": 1 });
  const learnRun = {
    ...{
      run: "rlvr",
      format,
      scheme: "in-place",
      rounding: "nearest-even",
      opmath: "fp32",
      lr: 1e-5,
      seed: 0,
    },
    base: { passAt: passAt(0.5) },
    outcome: { passAt: passAt(pass), klForward: null },
    heldOut: [],
    totals: { elements: 10, steps: 2, moved: 5 },
    end: { unchanged: 4, retained: 0.5 },
  };
  return learnRun as unknown as LearnRun;
}

const headline = (...runs: LearnRun[]) =>
  learnHeadline({ runs, input: { elements: 10 }, settings: { steps: 2 } } as unknown as LearnResult)[0];

test("the headline is about the way of storing that learns least", () => {
  const learned = headline(run("fp32", 0.75), run("bf16", 0.625), run("fp16", 0.75));
  expect(learned).toBe("Stored as bf16 in-place, rlvr at 1e-5 learns 50.0% of what it learns in fp32.");
});

test("a model that can do less than its base is not said to have learned a part", () => {
  const broken = headline(run("fp32", 0.75), run("e2m1fn", 0.125));
  expect(broken).toBe("Stored as e2m1fn in-place, rlvr at 1e-5 ends below its base, at 12.5%.");
});

test("where fp32 itself learns nothing, no share of its gain is told", () => {
  expect(headline(run("fp32", 0.125), run("bf16", 0.13))).toBe(
    "In fp32, rlvr at 1e-5 ends below its base, at 12.5%: there is no gain of which others have a share.",
  );
  expect(headline(run("fp32", 0.5), run("bf16", 0.25))).toBe(
    "In fp32, rlvr at 1e-5 does not end above its base with every seed: there is no gain of which others have a share.",
  );
});

test("fp32 alone is told without a comparison", () => {
  expect(headline(run("fp32", 0.75))).toMatch(/^A decoder of 10 weights .* its base answers 50\.0% right\.$/);
});
