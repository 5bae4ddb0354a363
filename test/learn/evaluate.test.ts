/** Pass@k and KL over all prompts, against what was computed in PyTorch and against an enumeration written here. */
import { describe, expect, test } from "vitest";
import type { Decoder } from "../../src/learn/decoder/decoder.js";
import { openDecoder } from "../../src/learn/decoder/open.js";
import { Prefixes } from "../../src/learn/decoder/prefixes.js";
import { paddedVocabulary, vocabulary } from "../../src/learn/decoder/shape.js";
import { passAt } from "../../src/learn/evaluate.js";
import { addition, promptOf } from "../../src/learn/task.js";
import { trainings } from "../../src/page/learn/state.js";
import { sized } from "../support/tier.js";
import { divergenceOf, evaluator, expectNear, model, ofNumpy } from "./divergence.js";

/** By exact probabilities in PyTorch, fp32: pass@1 and pass@32. */
const published: [path: string, first: number, thirtySecond: number][] = [
  ["base", 0.6644, 0.9996],
  ["rlvr/final-bf16", 0.845, 0.9998],
  ["sft/final-fp32", 0.9387, 0.9973],
  ["rlvr/final-fp32", 0.8471, 0.9998],
  ["opd/final-fp32", 0.847, 0.9998],
  ["opd/final-bf16", 0.8466, 0.9998],
  ["sft/final-bf16", 0.9363, 0.997],
];

test.each(sized({ quick: published.slice(0, 1), full: published }))(
  "%s: pass@1 and pass@32 are those of PyTorch",
  (path, first, thirtySecond) => {
    const right = evaluator.rightAnswers(model(path));
    expect(passAt(right, 1)).toBeCloseTo(first, 4);
    expect(passAt(right, 32)).toBeCloseTo(thirtySecond, 4);
    if (path !== "base") return;
    // Where the page's charts begin: of GRPO all prompts, of fine-tuning those with both numbers below 60.
    expect(first).toBeCloseTo(trainings.rlvr.base, 4);
    const below = right.filter((_, i) => i < 6000 && i % 100 < 60);
    expect(passAt(below, 1)).toBeCloseTo(trainings.sft.base, 4);
  },
);

test("pass@k of chances that are known", () => {
  const right = Float64Array.of(0, 0.5, 1, 0.25);
  expect(passAt(right, 1)).toBe(0.4375);
  expect(passAt(right, 3)).toBe((0 + 0.875 + 1 + 1 - 0.421875) / 4);
  expect(passAt(right, 128)).toBeCloseTo(0.75, 10);
});

describe("KL", () => {
  /** The logarithm of the probability of every answer of three tokens, 13^3 of them. */
  function answersTo(decoder: Decoder, weights: Float64Array, prompt: number[]): Float64Array {
    const { prefixes } = decoder;
    prefixes.clear();
    const root = prefixes.text(prompt);
    const tokens = Array.from({ length: vocabulary }, (_, i) => i);
    const seconds = tokens.map((t) => prefixes.child(root, t));
    const thirds = seconds.map((row) => tokens.map((t) => prefixes.child(row, t)));
    decoder.setWeights(weights);
    decoder.forward(0, prefixes.count);
    const logs = Array.from({ length: prefixes.count }, (_, row) => {
      const z = decoder.logits.subarray(row * paddedVocabulary, row * paddedVocabulary + vocabulary);
      let total = 0;
      for (const each of z) total += Math.exp(each);
      return [...z].map((each) => each - Math.log(total));
    });
    return Float64Array.from(
      tokens.flatMap((a) =>
        tokens.flatMap((b) => tokens.map((c) => logs[root][a] + logs[seconds[a]][b] + logs[thirds[a][b]][c])),
      ),
    );
  }

  test("is that of all answers, but for those that are not digits", async () => {
    const [base, tuned] = [model("base"), model("rlvr/final-fp32")];
    const a = 47;
    const found = await evaluator.divergence(base, tuned, [a]);
    const prefixes = new Prefixes(256);
    const decoder = await openDecoder(prefixes, { rows: 256, trains: false });
    let [forward, reverse, total] = [0, 0, 0];
    for (let b = 0; b < 100; b++) {
      const [p, q] = [base, tuned].map((weights) => answersTo(decoder, weights, promptOf(addition, a, b)));
      for (let i = 0; i < p.length; i++) {
        forward += (Math.exp(p[i]) * (p[i] - q[i])) / 100;
        reverse += (Math.exp(q[i]) * (q[i] - p[i])) / 100;
        total += Math.exp(p[i]) / 100;
      }
    }
    expect(total).toBeCloseTo(1, 6);
    expect(found.leftOut).toBeLessThan(1e-3);
    // What is left out could add its probability times a divergence of a nat.
    expect(Math.abs(found.forward - forward)).toBeLessThan(found.leftOut);
    expect(Math.abs(found.reverse - reverse)).toBeLessThan(found.leftOut);
    expect(found.forward).toBeGreaterThan(0.1);
  });

  test("of GRPO is what a decoder in NumPy finds", async () => {
    expectNear(await divergenceOf("rlvr", [37]), ofNumpy.rlvr.first37);
  });

  test("is zero to itself", async () => {
    const found = await evaluator.divergence(model("base"), model("base"), [3]);
    expect([found.forward, found.reverse]).toEqual([0, 0]);
  });
});
