import { type Pairs, pairsOf } from "./pairs.js";
import { questionsOf } from "./questions.js";
import { subjectOf, type VectorSettings } from "./settings.js";
import { type Column, wordsOf } from "./subject.js";

/** Rows of codes, as words of 32 bits: inputs, right results, and flags where they are asked for. */
export interface VectorTable {
  readonly columns: readonly Column[];
  /** Words of a row. */
  readonly stride: number;
  /** Where the table is every pair of operands. */
  readonly pairs: Pairs | null;
  /** Whole rows, some thousand at a time. The array is the table's again when the next one is asked for. */
  chunks(): Generator<Uint32Array>;
}

const rowsAtOnce = 4096;

/**
 * The table that settings ask for, with the flags that results raise if need be.
 *
 * @throws RangeError for unknown names, and for what does not go together.
 */
export function vectorTable(settings: VectorSettings, withFlags = false): VectorTable {
  const subject = subjectOf(settings);
  const { flags } = subject;
  if (withFlags && !flags)
    throw new RangeError(`${subject.name}: the text of TestFloat is for operations on numbers`);
  const flagColumns: readonly Column[] = withFlags ? [{ name: "flags", bits: 8, width: 1 }] : [];
  const columns = [...subject.inputs, ...subject.results, ...flagColumns];
  const stride = wordsOf(columns);
  const pairs = pairsOf(settings);
  if (pairs && !withFlags) return { columns, stride, pairs, chunks: () => chunksOfPairs(pairs) };
  if (pairs?.flags) return { columns, stride, pairs, chunks: () => chunksOfPairs(pairs, pairs.flags) };
  const inputWords = wordsOf(subject.inputs);
  // A row of a matrix of 128 x 128 is long.
  const rows = Math.max(1, Math.min(rowsAtOnce, Math.floor(2 ** 18 / stride)));
  return {
    columns,
    stride,
    pairs: null,
    *chunks() {
      const words = new Uint32Array(rows * stride);
      let at = 0;
      for (const question of questionsOf(subject, settings.level, settings.seed)) {
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

/** Rows of the table that settings ask for; null of a level that takes too long to count. */
export function rowsOfTable(settings: VectorSettings): number | null {
  const pairs = pairsOf(settings);
  if (pairs) return pairs.codes ** 2;
  if (settings.level === "exhaustive") return null;
  const subject = subjectOf(settings);
  let rows = 0;
  for (const question of questionsOf(subject, settings.level, settings.seed)) {
    if (subject.answer(question) !== null) rows += 1;
  }
  return rows;
}

function* chunksOfPairs({ codes, results }: Pairs, flagsOf: Pairs["flags"] = null): Generator<Uint32Array> {
  const stride = flagsOf ? 4 : 3;
  const words = new Uint32Array(stride * codes);
  for (let b = 0; b < codes; b++) words[stride * b + 1] = b;
  for (let a = 0; a < codes; a++) {
    const row = results(a);
    for (let b = 0; b < codes; b++) {
      words[stride * b] = a;
      words[stride * b + 2] = row[b];
    }
    if (flagsOf) {
      const flags = flagsOf(a, row);
      for (let b = 0; b < codes; b++) words[4 * b + 3] = flags[b];
    }
    yield words;
  }
}
