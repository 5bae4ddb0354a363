/**
 * Makes src/example/two-operations.safetensors, a base that adds and subtracts, with the project's own training: trains
 * the embedded base in fp32 on both operations, with a teacher that is wrong one time in four, and stores it as bf16.
 * Takes two to five minutes:
 *
 *     npx tsx bench/learn/two-operations.ts
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { exampleModels } from "../../src/cli/example-models.js";
import { codeOf } from "../../src/format/encode.js";
import { format } from "../../src/format/registry.js";
import { round } from "../../src/format/round.js";
import { AdamwUpdates, clip } from "../../src/learn/adamw.js";
import { LogShares } from "../../src/learn/decoder/log-shares.js";
import { openDecoder } from "../../src/learn/decoder/open.js";
import { Prefixes } from "../../src/learn/decoder/prefixes.js";
import { paddedVocabulary, parameterCount } from "../../src/learn/decoder/shape.js";
import { Evaluator, passAt } from "../../src/learn/evaluate.js";
import { weightedLogLoss } from "../../src/learn/losses.js";
import { tensorsOf } from "../../src/learn/recorded-run.js";
import { addition, answerTo, operands, promptOf, subtraction } from "../../src/learn/task.js";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { randomBits, stepKey, tensorKey } from "../../src/update/threefry.js";

const steps = 12_000;
const texts = 64;
const wrong = 0.25;
const bf16 = format("bf16");

const { base } = await exampleModels();
const model = Float32Array.from(base);
const prefixes = new Prefixes(texts * 8);
const decoder = await openDecoder(prefixes, { rows: texts * 8, trains: true });
const logs = new LogShares(texts * 8);
const gradient = new Float32Array(parameterCount);
const updates = new Float32Array(parameterCount);

// The second, lower rate lets it converge.
for (const [phase, lr] of [1e-3, 2e-4].entries()) {
  const optimizer = new AdamwUpdates({ lr, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0 }, parameterCount);
  for (let step = 1; step <= steps / 2; step++) {
    const key = stepKey(tensorKey(phase, "two-operations"), step);
    const uniform = (text: number, draw: number) => randomBits(key, text, draw) / 2 ** 32;
    prefixes.clear();
    const answers = Array.from({ length: texts }, (_, i) => {
      const operation = i % 2 === 0 ? addition : subtraction;
      const [a, b] = [Math.floor(uniform(i, 0) * operands), Math.floor(uniform(i, 1) * operands)];
      const right = answerTo(operation, a, b);
      const tokens = uniform(i, 2) < wrong ? right.map((_, t) => Math.floor(uniform(i, 3 + t) * 10)) : right;
      const rows = [prefixes.text(promptOf(operation, a, b))];
      for (const token of tokens.slice(0, -1)) rows.push(prefixes.child(rows.at(-1)!, token));
      return { rows, tokens };
    });
    decoder.setWeights(model);
    decoder.forward(0, prefixes.count);
    logs.read(decoder.logits, 0, prefixes.count);
    decoder.dLogits.fill(0, 0, prefixes.count * paddedVocabulary);
    const loss = weightedLogLoss(
      answers,
      answers.map(() => 1),
      logs,
      decoder.dLogits,
    );
    decoder.backward();
    gradient.set(decoder.gradient.subarray(0, parameterCount));
    clip(gradient, 1);
    optimizer.step(gradient, updates);
    for (let i = 0; i < parameterCount; i++) model[i] += updates[i];
    if (step % 500 === 0) process.stderr.write(`${lr} ${step} loss ${loss.toFixed(3)}\n`);
  }
}

const stored = model.map((x) => round(x, bf16));
const evaluator = await Evaluator.open();
for (const operation of [addition, subtraction]) {
  const right = evaluator.rightAnswers(stored, operation);
  process.stdout.write(
    `${operation.name}: pass@1 ${passAt(right, 1).toFixed(4)}, @32 ${passAt(right, 32).toFixed(5)}\n`,
  );
}
const tensors = tensorsOf(stored).map(({ data, ...tensor }) => ({
  ...tensor,
  dtype: "BF16",
  data: Uint16Array.from(data, (x) => codeOf(x, bf16)),
}));
const path =
  process.argv[2] ?? fileURLToPath(new URL("../../src/example/two-operations.safetensors", import.meta.url));
writeFileSync(path, encodeSafetensors(tensors, { of: "npx tsx bench/learn/two-operations.ts" }));
