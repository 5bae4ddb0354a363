import { randomBits, stepKey, tensorKey, type Words } from "../update/threefry.js";

import type { Decoder } from "./decoder/decoder.js";
import type { LogShares } from "./decoder/log-shares.js";
import type { Prefixes } from "./decoder/prefixes.js";
import { vocabulary } from "./decoder/shape.js";
import type { Answered } from "./losses.js";
import { addition, answerLength, answerTo, operands, promptOf } from "./task.js";

/** Answers in a step. */
export const answersAStep = 128;
/** Answers to each prompt under GRPO. */
export const groupSize = 8;

/** Random draws of one step, counter-based and keyed like all others: the same on every machine. */
export class StepDraws {
  readonly #prompts: Words;
  readonly #answers: Words;

  constructor(seed: number, step: number) {
    this.#prompts = stepKey(tensorKey(seed, "learn/prompts"), step);
    this.#answers = stepKey(tensorKey(seed, "learn/answers"), step);
  }

  /** Two numbers below `below`, for one prompt. */
  operands(prompt: number, below: number): [number, number] {
    const at = (i: number) => Math.floor((randomBits(this.#prompts, 2 * prompt + i, 0) / 2 ** 32) * below);
    return [at(0), at(1)];
  }

  /** The token of an answer, by the shares of a row. */
  token(answer: number, i: number, shares: Float64Array, row: number): number {
    const draw = randomBits(this.#answers, answer, i) / 2 ** 32;
    let sum = 0;
    for (let token = 0; token < vocabulary - 1; token++) {
      sum += shares[row * vocabulary + token];
      if (draw < sum) return token;
    }
    return vocabulary - 1;
  }
}

/** Answers of a step, and whether each is correct. */
export interface Batch {
  readonly answers: readonly Answered[];
  readonly right: readonly boolean[];
}

/**
 * Draws prompts and `each` answers per prompt from the model. Every row is computed once and kept for
 * backward.
 */
export function drawAnswers(
  draws: StepDraws,
  prefixes: Prefixes,
  decoder: Decoder,
  logs: LogShares,
  each: number,
): Batch {
  prefixes.clear();
  const count = answersAStep / each;
  const pairs = Array.from({ length: count }, (_, i) => draws.operands(i, operands));
  const prompts = pairs.map(([a, b]) => prefixes.text(promptOf(addition, a, b)));
  const answers = Array.from({ length: answersAStep }, (_, i) => ({
    rows: [prompts[Math.floor(i / each)]],
    tokens: [] as number[],
  }));
  let computed = 0;
  for (let t = 0; t < answerLength; t++) {
    decoder.forward(computed, prefixes.count);
    logs.read(decoder.logits, computed, prefixes.count);
    computed = prefixes.count;
    for (const [i, { rows, tokens }] of answers.entries()) {
      const token = draws.token(i, t, logs.shares, rows[t]);
      tokens.push(token);
      if (t + 1 < answerLength) rows.push(prefixes.child(rows[t], token));
    }
  }
  const right = answers.map(({ tokens }, i) => {
    const expected = answerTo(addition, ...pairs[Math.floor(i / each)]);
    return tokens.every((token, t) => token === expected[t]);
  });
  return { answers, right };
}

/** Draws prompts with operands below `below` and uses their correct answers. */
export function rightAnswers(
  draws: StepDraws,
  prefixes: Prefixes,
  decoder: Decoder,
  logs: LogShares,
  below: number,
): readonly Answered[] {
  prefixes.clear();
  const answers = Array.from({ length: answersAStep }, (_, i) => {
    const [a, b] = draws.operands(i, below);
    const tokens = answerTo(addition, a, b);
    const rows = [prefixes.text(promptOf(addition, a, b))];
    for (const token of tokens.slice(0, -1)) rows.push(prefixes.child(rows.at(-1)!, token));
    return { rows, tokens };
  });
  decoder.forward(0, prefixes.count);
  logs.read(decoder.logits, 0, prefixes.count);
  return answers;
}
