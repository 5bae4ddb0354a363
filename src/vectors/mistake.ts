/** A known wrong computation that can be compared with the tested results. */
export interface Mistake<Question, Answer> {
  /** Short, as a test would name it. */
  readonly name: string;
  /** What it does, to follow "It looks like". */
  readonly says: string;
  answer(question: Question): Answer;
}

/** A tested result and the correct one. */
export interface Compared<Question, Answer> {
  readonly question: Question;
  readonly expected: Answer;
  readonly found: Answer;
}

/** A mistake that explains what was found, and how many of the wrong cases that were looked at it explains. */
export interface Explained {
  readonly name: string;
  readonly says: string;
  readonly explains: number;
  readonly of: number;
}

/** A mistake that explains less than this share of the rest is a coincidence. */
const leastShare = 0.02;

/**
 * The mistakes that explain wrong cases: each gives, of some of them, what was found, and is not seen where all was
 * right. The one that explains most comes first, then those that explain what it leaves.
 *
 * @param right cases that were answered as expected, as witnesses against a mistake.
 */
export function diagnose<Question, Answer>(
  wrong: readonly Compared<Question, Answer>[],
  right: readonly Compared<Question, Answer>[],
  mistakes: readonly Mistake<Question, Answer>[],
  same: (a: Answer, b: Answer) => boolean,
): Explained[] {
  const suspects = mistakes
    .map((mistake, order) => ({
      mistake,
      order,
      explained: new Set(wrong.filter(({ question, found }) => same(mistake.answer(question), found))),
    }))
    .filter(({ explained }) => explained.size > 0)
    .filter(({ mistake }) =>
      right.every(({ question, expected }) => same(mistake.answer(question), expected)),
    );
  const found: Explained[] = [];
  const left = new Set(wrong);
  while (left.size > 0) {
    const scored = suspects.map((suspect) => ({
      ...suspect,
      score: [...suspect.explained].filter((compared) => left.has(compared)).length,
    }));
    scored.sort((a, b) => b.score - a.score || a.order - b.order);
    const [best] = scored;
    if (best === undefined || best.score === 0 || best.score < leastShare * wrong.length) break;
    const { name, says } = best.mistake;
    found.push({ name, says, explains: best.score, of: wrong.length });
    for (const compared of best.explained) left.delete(compared);
  }
  return found;
}

/** Whether two results are equal: the sign of zero counts, NaN payloads do not. */
export function sameNumber(a: number, b: number): boolean {
  return Object.is(a, b);
}

/** How a result is wrong. */
export type Kind = "sign of zero" | "NaN or not" | "Inf or not" | "one ulp" | "more than one ulp";

/** @param ulps the distance between the two in numbers of the format. */
export function kindOf(expected: number, found: number, ulps: (a: number, b: number) => number): Kind {
  if (Number.isNaN(expected) || Number.isNaN(found)) return "NaN or not";
  if (expected === found) return "sign of zero";
  if (!Number.isFinite(expected) || !Number.isFinite(found)) return "Inf or not";
  return ulps(expected, found) <= 1 ? "one ulp" : "more than one ulp";
}
