import { type Compared, diagnose, type Explained } from "./mistake.js";
import type { Subject } from "./subject.js";

/** Evenly spaced entries of a possibly long row, starting with the first. */
class Sample<T> {
  readonly #most: number;
  #kept: T[] = [];
  #stride = 1;
  #seen = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(item: T): void {
    if (this.#seen++ % this.#stride !== 0) return;
    this.#kept.push(item);
    if (this.#kept.length < this.#most) return;
    this.#kept = this.#kept.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  get kept(): readonly T[] {
    return this.#kept;
  }
}

/** The result of a comparison of many cases. */
export interface Outcome<Question, Answer> {
  readonly cases: number;
  readonly wrong: number;
  /** The first wrong cases, in order. */
  readonly first: readonly Compared<Question, Answer>[];
  /** How many wrong cases are of which kind, the most frequent first. */
  readonly kinds: readonly { readonly kind: string; readonly cases: number }[];
  /** Which mistakes it looks like. */
  readonly mistakes: readonly Explained[];
}

/** Wrong cases that are shown. */
const mostShown = 5;

/** Counts wrong cases, and keeps as many as the diagnosis needs. */
export class Collected<Question, Answer> {
  cases = 0;
  wrong = 0;
  readonly #first: Compared<Question, Answer>[] = [];
  readonly #kinds = new Map<string, number>();
  readonly #wrong = new Sample<Compared<Question, Answer>>(500);
  readonly #right = new Sample<Compared<Question, Answer>>(2_500);

  readonly #subject: Subject<Question, Answer>;

  constructor(subject: Subject<Question, Answer>) {
    this.#subject = subject;
  }

  add(question: Question, expected: Answer, found: Answer): void {
    this.cases += 1;
    const compared = { question, expected, found };
    if (this.#subject.same(expected, found)) {
      this.#right.add(compared);
      return;
    }
    this.wrong += 1;
    if (this.#first.length < mostShown) this.#first.push(compared);
    const kind = this.#subject.kindOf(compared);
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
    this.#wrong.add(compared);
  }

  outcome(): Outcome<Question, Answer> {
    const { cases, wrong } = this;
    const { mistakes, same } = this.#subject;
    return {
      cases,
      wrong,
      first: this.#first,
      kinds: [...this.#kinds].map(([kind, cases]) => ({ kind, cases })).sort((a, b) => b.cases - a.cases),
      mistakes: wrong === 0 ? [] : diagnose(this.#wrong.kept, this.#right.kept, mistakes(), same),
    };
  }
}
