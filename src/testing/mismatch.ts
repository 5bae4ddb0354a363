import type { Explained } from "../vectors/mistake.js";

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
