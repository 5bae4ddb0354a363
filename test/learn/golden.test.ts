/** The decoder against PyTorch in fp64: one batch of each kind of training (test/data/golden/learn). */
import { describe, expect, test } from "vitest";
import type { Arithmetic } from "../../src/learn/decoder/arithmetic.js";
import { Decoder } from "../../src/learn/decoder/decoder.js";
import { LogShares } from "../../src/learn/decoder/log-shares.js";
import { plainFp32, plainFp64 } from "../../src/learn/decoder/plain.js";
import { Prefixes } from "../../src/learn/decoder/prefixes.js";
import { paddedVocabulary, parameters, vocabulary } from "../../src/learn/decoder/shape.js";
import { advantages, distillationLoss, weightedLogLoss } from "../../src/learn/losses.js";
import { data, modelIn, numbersIn } from "./support.js";

const [sequences, tokens, answer] = [128, 9, 3];
const prompt = tokens - answer;

/** The batch of a file as a tree of prefixes, taken forward and backward. */
function batch(run: string, arithmetic: Arithmetic) {
  const golden = numbersIn(data(`golden/learn/${run}.safetensors`));
  const ids = golden.get("ids")!;
  const prefixes = new Prefixes(1024);
  const answers = Array.from({ length: sequences }, (_, s) => {
    const text = ids.subarray(s * tokens, (s + 1) * tokens);
    const rows = Array.from({ length: answer }, (_, i) => prefixes.text(text.subarray(0, prompt + i)));
    return { rows, tokens: [...text.subarray(prompt)] };
  });
  const open = (model: string) => {
    const decoder = new Decoder(arithmetic, prefixes, { rows: prefixes.count, trains: true });
    decoder.setWeights(modelIn(data(model)));
    decoder.forward(0, prefixes.count);
    const shares = new LogShares(prefixes.count);
    shares.read(decoder.logits, 0, prefixes.count);
    return { decoder, shares };
  };
  const { decoder, shares } = open("recorded/base.safetensors");
  const { dLogits } = decoder;
  const loss = {
    rlvr: () => {
      const reward = [...golden.get("reward")!];
      const groups = Array.from({ length: 16 }, (_, g) => advantages(reward.slice(8 * g, 8 * g + 8)));
      return weightedLogLoss(answers, groups.flat(), shares, dLogits);
    },
    sft: () =>
      weightedLogLoss(
        answers,
        answers.map(() => 1),
        shares,
        dLogits,
      ),
    opd: () =>
      distillationLoss(answers, shares, open("recorded/rlvr/final-fp32.safetensors").shares, dLogits),
  }[run]!();
  decoder.backward();
  const logits = answers.flatMap(({ rows }) =>
    rows.flatMap((row) => [
      ...decoder.logits.subarray(row * paddedVocabulary, row * paddedVocabulary + vocabulary),
    ]),
  );
  return { golden, loss, logits, gradient: decoder.gradient };
}

/** The largest error over the largest magnitude. */
function error(found: ArrayLike<number>, expected: Float64Array): number {
  expect(found.length).toBe(expected.length);
  const most = expected.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  return expected.reduce((max, x, i) => Math.max(max, Math.abs(found[i] - x)), 0) / most;
}

describe.each([
  [plainFp64, 1e-12],
  [plainFp32, 1e-4],
] as const)("$name", (arithmetic, tolerance) => {
  test.each(["rlvr", "sft", "opd"])("%s: logits, loss and every gradient are PyTorch's", (run) => {
    const { golden, loss, logits, gradient } = batch(run, arithmetic);
    expect(error(logits, golden.get("logits")!)).toBeLessThan(tolerance);
    // A loss is small beside its terms: their cancellation is no error of the decoder.
    expect(Math.abs(loss - golden.get("loss")![0])).toBeLessThan(tolerance);
    for (const { name, at, length } of parameters) {
      const expected = golden.get(`gradient/${name}`)!;
      expect(error(gradient.subarray(at, at + length), expected), name).toBeLessThan(tolerance);
    }
  });
});
