import { compareWith } from "../vectors/compare.js";
import { describeOutcome } from "../vectors/describe.js";
import type { Explained } from "../vectors/mistake.js";
import type { Subject } from "../vectors/subject.js";

/** Arithmetic that gave wrong results; the message has the first of them and which mistake it looks like. */
export class ArithmeticMismatch extends Error {
  /** How many cases were compared, and how many were wrong. */
  readonly cases: number;
  readonly wrong: number;
  /** The mistakes that it looks like, the one that explains most first; none if no known one explains any. */
  readonly mistakes: readonly Explained[];

  constructor(message: string, cases: number, wrong: number, mistakes: readonly Explained[]) {
    super(message);
    this.name = "ArithmeticMismatch";
    this.cases = cases;
    this.wrong = wrong;
    this.mistakes = mistakes;
  }
}

/** What a check that passed has looked at. */
export interface Checked {
  readonly cases: number;
  /**
   * Whether these were all that matter: every operand; of a rounding every number and midpoint of the format with its
   * neighbours, where alone a rounding can change its mind.
   */
  readonly exhaustive: boolean;
}

/** What every check takes. */
export interface CheckOptions {
  /** 1: some ten thousand hard cases; 2 (default): every one that matters of narrow formats, else more hard and random ones. */
  readonly level?: 1 | 2;
  /** Of the random cases. Default 0. */
  readonly seed?: number;
}

/** Asks every question of a subject. @throws ArithmeticMismatch if an answer is wrong. */
export function check<Question, Answer>(
  subject: Subject<Question, Answer>,
  mine: (question: Question) => Answer,
  { level = 2, seed = 0 }: CheckOptions,
): Checked {
  const outcome = compareWith(subject, mine, level === 1 ? "1" : "2", seed);
  const { cases, wrong, mistakes } = outcome;
  if (wrong > 0) throw new ArithmeticMismatch(describeOutcome(subject, outcome), cases, wrong, mistakes);
  return { cases, exhaustive: level === 2 && subject.exhaustive };
}
