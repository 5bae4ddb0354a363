import type { Compared, Mistake } from "./mistake.js";
import type { Level } from "./rounding-inputs.js";

/** A column of a table of vectors: codes of so many bits, or `width` of them side by side. */
export interface Column {
  readonly name: string;
  readonly bits: number;
  readonly width: number;
}

/**
 * What is tested: inputs, their correct results, the encoding of both in 32-bit words (wider codes with the
 * upper word first), and the known mistakes.
 */
export interface Subject<Question, Answer> {
  /** Its description, in a few words: `bf16 nearest-even from fp32`. */
  readonly name: string;
  readonly inputs: readonly Column[];
  readonly results: readonly Column[];
  /** May have one several times, but not in level `exhaustive`; see `questionsOf`. */
  questions(level: Level, seed: number): Iterable<Question>;
  /** Whether level 2 has every question that matters. */
  readonly exhaustive: boolean;
  /** Null if there is no correct result, such as for NaN in a format without one. */
  answer(question: Question): Answer | null;
  write(question: Question, to: Uint32Array, at: number): void;
  read(from: Uint32Array, at: number): Question;
  writeAnswer(answer: Answer, to: Uint32Array, at: number): void;
  readAnswer(from: Uint32Array, at: number): Answer;
  same(a: Answer, b: Answer): boolean;
  kindOf(compared: Compared<Question, Answer>): string;
  mistakes(): readonly Mistake<Question, Answer>[];
  /** A wrong case in one line. */
  describe(compared: Compared<Question, Answer>): string;
  /** IEEE 754's exceptions as SoftFloat counts them: inexact 1, underflow 2, overflow 4, infinite 8, invalid 16. */
  flags?(question: Question, answer: Answer): number;
}

/** Words that a row of these columns takes. */
export function wordsOf(columns: readonly Column[]): number {
  return columns.reduce((words, { bits, width }) => words + width * (bits > 32 ? 2 : 1), 0);
}

export function column(name: string, bits: number, width = 1): Column {
  return { name, bits, width };
}
