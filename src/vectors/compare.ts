import { Collected, type Outcome } from "./collected.js";
import { questionsOf } from "./questions.js";
import type { Level } from "./rounding-inputs.js";
import type { Subject } from "./subject.js";

/** Runs the tested arithmetic on all inputs of a level. */
export function compareWith<Question, Answer>(
  subject: Subject<Question, Answer>,
  mine: (question: Question) => Answer,
  level: Level,
  seed: number,
): Outcome<Question, Answer> {
  const collected = new Collected(subject);
  for (const question of questionsOf(subject, level, seed)) {
    const expected = subject.answer(question);
    if (expected !== null) collected.add(question, expected, mine(question));
  }
  return collected.outcome();
}
