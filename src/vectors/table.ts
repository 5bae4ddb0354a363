import type { Level } from "./rounding-inputs.js";
import type { AnySubject } from "./settings.js";
import { type Column, wordsOf } from "./subject.js";

/** Rows of codes, as words of 32 bits: inputs, right results, and flags where they are asked for. */
export interface VectorTable {
  readonly columns: readonly Column[];
  /** Words of a row. */
  readonly stride: number;
  /** Whole rows, some thousand at a time. The array is the caller's until the next one is asked for. */
  chunks(): Generator<Uint32Array>;
}

const rowsAtOnce = 4096;

/** The table of a subject's questions and right answers, and of the flags that they raise. */
export function vectorTable(subject: AnySubject, level: Level, seed: number, withFlags = false): VectorTable {
  const { flags } = subject;
  if (withFlags && !flags)
    throw new RangeError(`${subject.name}: the text of TestFloat is for operations on numbers`);
  const flagColumns: readonly Column[] = withFlags ? [{ name: "flags", bits: 8, width: 1 }] : [];
  const columns = [...subject.inputs, ...subject.results, ...flagColumns];
  const stride = wordsOf(columns);
  const inputWords = wordsOf(subject.inputs);
  // A row of a matrix of 128 x 128 is long.
  const rows = Math.max(1, Math.min(rowsAtOnce, Math.floor(2 ** 18 / stride)));
  return {
    columns,
    stride,
    *chunks() {
      const words = new Uint32Array(rows * stride);
      let at = 0;
      for (const question of subject.questions(level, seed)) {
        const answer = subject.answer(question);
        if (answer === null) continue;
        subject.write(question, words, at);
        subject.writeAnswer(answer, words, at + inputWords);
        if (withFlags) words[at + stride - 1] = flags!(question, answer);
        at += stride;
        if (at < words.length) continue;
        yield words;
        at = 0;
      }
      if (at > 0) yield words.subarray(0, at);
    },
  };
}
