import type { Decoder } from "./decoder/decoder.js";
import { LogShares } from "./decoder/log-shares.js";
import { openDecoder } from "./decoder/open.js";
import { Prefixes } from "./decoder/prefixes.js";
import { vocabulary } from "./decoder/shape.js";
import { divergenceAt } from "./losses.js";
import { addition, answerLength, answerTo, type Operation, operands, promptRows } from "./task.js";

/** The k of pass@k. */
export const passCounts = [1, 2, 4, 8, 16, 32, 64, 128] as const;

/** Digits, which is what follows digits in an answer: what else may follow is counted where it may, and not followed on. */
const digits = 10;

/** All prompts with one first operand, and all answers to them. */
const mostRows = 2 + 1 + 10 + 100 + 100 * (1 + digits + digits * digits);

/** The divergence between two models, over all prompts and answers. */
export interface Divergence {
  /** KL(base || model) of whole answers, the mean over prompts. */
  readonly forward: number;
  /** KL(model || base). */
  readonly reverse: number;
  /**
   * The probability (the larger of both models) that an answer has a non-digit; such answers are compared
   * only up to it.
   */
  readonly leftOut: number;
}

/** Evaluates models on all 10,000 prompts. */
export class Evaluator {
  readonly #prefixes: Prefixes;
  readonly #decoder: Decoder;
  readonly #logs: readonly [LogShares, LogShares];

  private constructor(prefixes: Prefixes, decoder: Decoder) {
    this.#prefixes = prefixes;
    this.#decoder = decoder;
    this.#logs = [new LogShares(mostRows), new LogShares(mostRows)];
  }

  static async open(): Promise<Evaluator> {
    const prefixes = new Prefixes(mostRows);
    return new Evaluator(prefixes, await openDecoder(prefixes, { rows: mostRows, trains: false }));
  }

  get arithmetic(): string {
    return this.#decoder.arithmetic.name;
  }

  /** The probability of the right answer to each prompt, that of a + b at 100 a + b. */
  rightAnswers(model: ArrayLike<number>, operation: Operation = addition): Float64Array {
    const right = new Float64Array(operands * operands).fill(1);
    const [logs] = this.#logs;
    this.#decoder.setWeights(model);
    for (let a = 0; a < operands; a++) {
      this.#prefixes.clear();
      let rows = promptRows(this.#prefixes, operation, a);
      const levels = [rows];
      for (let i = 1; i < answerLength; i++) {
        rows = rows.map((row, b) => this.#prefixes.append(row, answerTo(operation, a, b)[i - 1]));
        levels.push(rows);
      }
      this.#read(logs);
      for (const [i, level] of levels.entries()) {
        for (const [b, row] of level.entries()) {
          right[operands * a + b] *= logs.shares[row * vocabulary + answerTo(operation, a, b)[i]];
        }
      }
    }
    return right;
  }

  /**
   * How far a model is from its base over the prompts of some first operands.
   *
   * @param firsts all a from 0 to 99 for the whole task.
   * @param pause is awaited after each of them with the number done: each takes a tenth of a second or more.
   */
  async divergence(
    base: ArrayLike<number>,
    model: ArrayLike<number>,
    firsts: readonly number[],
    pause: (done: number) => Promise<void> = async () => {},
  ): Promise<Divergence> {
    let [forward, reverse] = [0, 0];
    const leftOut = [0, 0];
    for (const [i, a] of firsts.entries()) {
      const [ofBase, ofModel, prompts] = this.#bothAt(a, base, model);
      for (const levels of prompts) {
        forward += divergenceOf(ofBase, ofModel, levels);
        reverse += divergenceOf(ofModel, ofBase, levels);
        leftOut[0] += 1 - digitsOnly(ofBase, levels);
        leftOut[1] += 1 - digitsOnly(ofModel, levels);
      }
      await pause(i + 1);
    }
    const n = firsts.length * operands;
    return { forward: forward / n, reverse: reverse / n, leftOut: Math.max(...leftOut) / n };
  }

  /** What two models make of all answers to the prompts of a first operand; and their rows by the length of the answer so far. */
  #bothAt(
    a: number,
    base: ArrayLike<number>,
    model: ArrayLike<number>,
  ): [ofBase: LogShares, ofModel: LogShares, prompts: number[][][]] {
    this.#prefixes.clear();
    const prompts = promptRows(this.#prefixes, addition, a).map((prompt) => {
      const seconds = this.#withDigits(prompt);
      return [[prompt], seconds, seconds.flatMap((row) => this.#withDigits(row))];
    });
    const [ofBase, ofModel] = this.#logs;
    for (const [logs, weights] of [
      [ofBase, base],
      [ofModel, model],
    ] as const) {
      this.#decoder.setWeights(weights);
      this.#read(logs);
    }
    return [ofBase, ofModel, prompts];
  }

  #withDigits(row: number): number[] {
    return Array.from({ length: digits }, (_, token) => this.#prefixes.append(row, token));
  }

  #read(logs: LogShares): void {
    const { count } = this.#prefixes;
    this.#decoder.forward(0, count);
    logs.read(this.#decoder.logits, 0, count);
  }
}

/** By the chain rule: the divergence of each next token, by the probability that it comes to it. */
function divergenceOf(
  from: LogShares,
  to: LogShares,
  [prompt, seconds, thirds]: readonly number[][],
): number {
  const at = (row: number) => divergenceAt(from.logs, from.shares, to.logs, row * vocabulary);
  const share = (row: number, token: number) => from.shares[row * vocabulary + token];
  let sum = at(prompt[0]);
  for (const [i, second] of seconds.entries()) {
    let ofSecond = at(second);
    for (let j = 0; j < digits; j++) ofSecond += share(second, j) * at(thirds[digits * i + j]);
    sum += share(prompt[0], i) * ofSecond;
  }
  return sum;
}

/** The probability that the first two tokens of an answer are digits. */
function digitsOnly({ shares }: LogShares, [prompt, seconds]: readonly number[][]): number {
  const sumAt = (row: number) => {
    let sum = 0;
    for (let i = 0; i < digits; i++) sum += shares[row * vocabulary + i];
    return sum;
  };
  return seconds.reduce((sum, row, i) => sum + shares[prompt[0] * vocabulary + i] * sumAt(row), 0);
}

/** The mean over prompts of 1 - (1 - p)^k: pass@k over all possible answers, not over a sample. */
export function passAt(right: Float64Array, k: number): number {
  let sum = 0;
  for (const p of right) sum += 1 - wholePower(1 - p, k);
  return sum / right.length;
}

export function passAtAll(right: Float64Array): Record<string, number> {
  return Object.fromEntries(passCounts.map((k) => [String(k), passAt(right, k)]));
}

/** x^n by products, for the same bits everywhere. */
function wholePower(x: number, n: number): number {
  let [power, square] = [1, x];
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power *= square;
    square *= square;
  }
  return power;
}
