import type { Prefixes } from "./decoder/prefixes.js";
import { equals, plus } from "./decoder/shape.js";

/** The task of the recorded runs: two numbers below 100, and their sum from the last digit on, in three digits. */

/** Below this. */
export const operands = 100;
/** Tokens of an answer. */
export const answerLength = 3;

/** "a + b =" as tokens. */
export function promptOf(a: number, b: number): number[] {
  return [Math.floor(a / 10), a % 10, plus, Math.floor(b / 10), b % 10, equals];
}

/** The digits of a + b, the last one first. */
export function answerTo(a: number, b: number): number[] {
  const sum = a + b;
  return [sum % 10, Math.floor(sum / 10) % 10, Math.floor(sum / 100)];
}

/** The rows of the hundred prompts "a + b =" with one a, in the order of b, in an empty tree. */
export function promptRows(prefixes: Prefixes, a: number): number[] {
  return Array.from({ length: operands }, (_, b) => prefixes.text(promptOf(a, b)));
}
