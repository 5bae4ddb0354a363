import type { Prefixes } from "./decoder/prefixes.js";
import { equals, minus, plus } from "./decoder/shape.js";

/** Tasks: two numbers below 100 and the result of an operation, in three digits, last digit first. */
export interface Operation {
  readonly name: string;
  /** The token between the numbers. */
  readonly sign: number;
  /** A whole number from 0 to 999. */
  of(a: number, b: number): number;
}

/** The task of the recorded runs. */
export const addition: Operation = { name: "addition", sign: plus, of: (a, b) => a + b };

/** A second task that a base may know: the difference modulo 100. */
export const subtraction: Operation = {
  name: "subtraction",
  sign: minus,
  of: (a, b) => (a - b + operands) % operands,
};

/** Below this. */
export const operands = 100;
/** Tokens of an answer. */
export const answerLength = 3;

/** "a + b =" as tokens. */
export function promptOf({ sign }: Operation, a: number, b: number): number[] {
  return [Math.floor(a / 10), a % 10, sign, Math.floor(b / 10), b % 10, equals];
}

/** The digits of the correct answer, last digit first. */
export function answerTo(operation: Operation, a: number, b: number): number[] {
  const answer = operation.of(a, b);
  return [answer % 10, Math.floor(answer / 10) % 10, Math.floor(answer / 100)];
}

/** The rows of the hundred prompts "a + b =" with one a, in the order of b, in an empty tree. */
export function promptRows(prefixes: Prefixes, operation: Operation, a: number): number[] {
  return Array.from({ length: operands }, (_, b) => prefixes.text(promptOf(operation, a, b)));
}
