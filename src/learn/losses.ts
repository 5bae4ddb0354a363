import type { LogShares } from "./decoder/log-shares.js";
import type { Numbers } from "./decoder/numbers.js";
import { paddedVocabulary, vocabulary } from "./decoder/shape.js";

/** An answer as it was given to a prompt. */
export interface Answered {
  /** The row before each of its tokens: the prompt, and the prompt with what was answered so far. */
  readonly rows: readonly number[];
  readonly tokens: readonly number[];
}

/** Advantages of a group of answers to one prompt (GRPO): by how many standard deviations each reward is above their mean. */
export function advantages(rewards: readonly number[]): number[] {
  const mean = rewards.reduce((sum, r) => sum + r, 0) / rewards.length;
  const squares = rewards.reduce((sum, r) => sum + (r - mean) * (r - mean), 0);
  const deviation = Math.sqrt(squares / (rewards.length - 1));
  return rewards.map((r) => (r - mean) / (deviation + 1e-4));
}

/**
 * The mean over all tokens of -weight log p, which is cross-entropy for weights of 1 and GRPO's loss for advantages. Its gradient is
 * added to that of the logits.
 */
export function weightedLogLoss(
  answers: readonly Answered[],
  weights: readonly number[],
  { logs, shares }: LogShares,
  dLogits: Numbers,
): number {
  const count = answers.reduce((sum, { tokens }) => sum + tokens.length, 0);
  let loss = 0;
  for (const [a, { rows, tokens }] of answers.entries()) {
    const weight = weights[a] / count;
    if (weight === 0) continue;
    for (const [t, token] of tokens.entries()) {
      const at = rows[t] * vocabulary;
      const d = rows[t] * paddedVocabulary;
      loss -= weight * logs[at + token];
      for (let i = 0; i < vocabulary; i++) dLogits[d + i] += weight * shares[at + i];
      dLogits[d + token] -= weight;
    }
  }
  return loss;
}

/**
 * The mean over all tokens of KL(model || teacher) of the whole next-token distribution, at the answers that the model gave: on-policy
 * distillation. Its gradient is added to that of the logits.
 */
export function distillationLoss(
  answers: readonly Answered[],
  { logs, shares }: LogShares,
  teacher: LogShares,
  dLogits: Numbers,
): number {
  const count = answers.reduce((sum, { tokens }) => sum + tokens.length, 0);
  let loss = 0;
  for (const row of answers.flatMap(({ rows }) => rows)) {
    const at = row * vocabulary;
    const divergence = divergenceAt(logs, shares, teacher.logs, at);
    loss += divergence / count;
    for (let i = 0; i < vocabulary; i++) {
      const difference = logs[at + i] - teacher.logs[at + i];
      dLogits[row * paddedVocabulary + i] += (shares[at + i] * (difference - divergence)) / count;
    }
  }
  return loss;
}

/** KL of one next-token distribution to another. */
export function divergenceAt(
  logs: Float64Array,
  shares: Float64Array,
  others: Float64Array,
  at: number,
): number {
  let sum = 0;
  for (let i = at; i < at + vocabulary; i++) sum += shares[i] * (logs[i] - others[i]);
  return sum;
}
