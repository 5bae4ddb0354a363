import { Draw } from "./draw.js";
import { type Compared, diagnose, type Explained } from "./mistake.js";
import type { Subject } from "./subject.js";

/**
 * A random choice of a possibly long row, the same one each time. Inputs come in patterns (both signs, both sides of the
 * random bits), so that evenly spaced ones would all be of one kind.
 */
class Sample<T> {
  readonly #most: number;
  readonly #draw = new Draw(0, "sample");
  #kept: { readonly item: T; readonly rank: number }[] = [];
  #limit = 2 ** 32;

  constructor(most: number) {
    this.#most = most;
  }

  add(item: T): void {
    const rank = this.#draw.bits();
    if (rank >= this.#limit) return;
    this.#kept.push({ item, rank });
    if (this.#kept.length < this.#most) return;
    this.#limit /= 2;
    this.#kept = this.#kept.filter((kept) => kept.rank < this.#limit);
  }

  get kept(): readonly T[] {
    return this.#kept.map(({ item }) => item);
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
  readonly #wrong = new Sample<Compared<Question, Answer>>(2_000);
  readonly #right = new Sample<Compared<Question, Answer>>(10_000);

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
