import { compareWith } from "../vectors/compare.js";
import { describeOutcome } from "../vectors/describe.js";
import type { Explained } from "../vectors/mistake.js";
import type { Subject } from "../vectors/subject.js";

/** Thrown for wrong results; the message lists the first ones and names the likely mistake. */
export class ArithmeticMismatch extends Error {
  /** How many cases were compared, and how many were wrong. */
  readonly cases: number;
  readonly wrong: number;
  /** The likely mistakes, most explanatory first; empty if no known one explains any. */
  readonly mistakes: readonly Explained[];

  constructor(message: string, cases: number, wrong: number, mistakes: readonly Explained[]) {
    super(message);
    this.name = "ArithmeticMismatch";
    this.cases = cases;
    this.wrong = wrong;
    this.mistakes = mistakes;
  }
}

/** The coverage of a passed check. */
export interface Checked {
  readonly cases: number;
  /**
   * Whether these cover everything: every operand; for a rounding, every number and midpoint of the format
   * with its neighbours, the only places where a rounding can change.
   */
  readonly exhaustive: boolean;
}

/** Options common to all checks. */
export interface CheckOptions {
  /**
   * 1: some ten thousand hard cases; 2 (default): all relevant cases of narrow formats, otherwise more hard
   * and random ones.
   */
  readonly level?: 1 | 2;
  /** Seed of the random cases. Default 0. */
  readonly seed?: number;
}

/** Refuses what is not a function to test. @throws TypeError */
export function expectFunction(mine: unknown): void {
  if (typeof mine !== "function") throw new TypeError(`expected a function to check, found ${String(mine)}`);
}

/** Runs all cases of a subject. @throws ArithmeticMismatch if a result is wrong; RangeError for another level. */
export function check<Question, Answer>(
  subject: Subject<Question, Answer>,
  mine: (question: Question) => Answer,
  { level = 2, seed = 0 }: CheckOptions,
): Checked {
  if (level !== 1 && level !== 2) throw new RangeError(`level: expected 1 or 2, found ${String(level)}`);
  const outcome = compareWith(subject, mine, level === 1 ? "1" : "2", seed);
  const { cases, wrong, mistakes } = outcome;
  if (wrong > 0) throw new ArithmeticMismatch(describeOutcome(subject, outcome), cases, wrong, mistakes);
  return { cases, exhaustive: level === 2 && subject.exhaustive };
}
