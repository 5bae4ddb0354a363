import { expect, test } from "vitest";
import type { Case } from "../../../src/lens/run/case.js";
import { finding } from "../../../src/page/tensor/sentences.js";

function run(lost: number, kept: number, visible: number): Case {
  const moved = 1000 - lost - kept;
  return {
    format: "bf16",
    rounding: "nearest-even",
    tensors: [{ shape: [10, 10] }],
    totals: { elements: 100, steps: 10, none: 0, lost, kept, moved, hiddenShare: (lost + kept) / 1000 },
    end: { unchanged: 1, hidden: 1, visible, retained: 1, nonfinite: 0 },
  } as unknown as Case;
}

test.each([
  [run(1, 0, 1), "Almost nothing is hidden: bf16 shows 99.9% of the updates."],
  [run(0, 1, 1), "Almost nothing is hidden: bf16 shows 99.9% of the updates."],
  [run(0, 1, 0.5), "bf16 shows 99.9% of the updates, and 50.0% of the fp32 displacement."],
  [run(20, 0, 1), "The updates were there all along: bf16 rounded 2.0% of them away."],
  [run(0, 20, 1), "The updates are there: 2.0% of them changed only the carrier."],
])("%# says what is hidden, if that is a finding", (stored, sentence) => {
  expect(finding(12, stored, stored).lens).toBe(sentence);
});

test("what is hidden has the colour of its class, unless it is almost nothing", () => {
  const toneOf = (stored: Case) => finding(12, stored, stored).tone;
  expect([run(20, 0, 1), run(0, 20, 1), run(1, 0, 1), run(0, 1, 1)].map(toneOf)).toEqual([
    "lost",
    "kept",
    null,
    null,
  ]);
});

test("weights that are NaN or Inf come first, and are in no share", () => {
  const truth = run(20, 0, 1);
  const stored = { ...truth, end: { ...truth.end, nonfinite: 80 } };
  expect(finding(12, stored, truth).apparent).toBe(
    "After 12 steps, *80.0%* of the bf16 weights are NaN or Inf. Of the others, *5.0%* are unchanged; in fp32, *1.0%*.",
  );
});
