import type { Level } from "./rounding-inputs.js";
import { type Subject, wordsOf } from "./subject.js";

/**
 * The questions of a level, each once: where it comes first. Two are the same if their codes are. Of level `exhaustive`
 * there may be more than fit in memory; its inputs are enumerated and differ by themselves.
 */
export function* questionsOf<Question, Answer>(
  subject: Subject<Question, Answer>,
  level: Level,
  seed: number,
): Generator<Question> {
  const questions = subject.questions(level, seed);
  if (level === "exhaustive") {
    yield* questions;
    return;
  }
  const words = new Uint32Array(wordsOf(subject.inputs));
  const asked = new Set<string>();
  for (const question of questions) {
    subject.write(question, words, 0);
    const codes = words.join();
    if (asked.has(codes)) continue;
    asked.add(codes);
    yield question;
  }
}
