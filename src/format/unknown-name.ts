/**
 * The error for an unknown name, with the nearest known name, if any is near, and what is expected.
 *
 * @param what the kind of name, such as "format"; `owner` is what it belongs to, such as "adamw".
 * @param known candidate names.
 * @param expected the list shown; default all of `known`.
 * @param inFull the name to suggest for a near one, where that is an abbreviation.
 */
export function unknownName(
  what: string,
  name: string,
  known: Iterable<string>,
  {
    expected = [...known].join(", "),
    owner,
    inFull = (near) => near,
  }: { expected?: string; owner?: string; inFull?: (near: string) => string } = {},
): RangeError {
  const near = [...new Set(nearestNames(name, known).map(inFull))];
  const unknown = `unknown ${what} "${name}"${owner === undefined ? "" : ` of ${owner}`}`;
  return new RangeError(
    near.length > 0
      ? `${unknown}: did you mean ${near.join(" or ")}? Expected ${expected}`
      : `${unknown}: expected ${expected}`,
  );
}

/** More names than this at one distance do not help. */
const mostNear = 3;

/**
 * The known names at the least distance from a name, in order. Names that begin with it count as one edit
 * away. Empty if a third of the longer name would have to change, or if more than three are equally near.
 */
export function nearestNames(name: string, known: Iterable<string>): string[] {
  let least = Infinity;
  let nearest: string[] = [];
  for (const candidate of new Set(known)) {
    const longer = Math.max(name.length, candidate.length);
    const begins = name.length >= 3 && candidate.startsWith(name);
    const distance = begins ? 1 : editDistance(name.toLowerCase(), candidate.toLowerCase());
    // A name of one letter is one change away from every other.
    const shorter = Math.min(name.length, candidate.length);
    if (distance > Math.max(1, Math.floor(longer / 3)) || distance >= shorter) continue;
    // Among names that differ only in case, prefer the nearer case.
    const rank = distance + (begins ? 0 : editDistance(name, candidate) / 1000);
    if (rank < least) nearest = [];
    if (rank <= least) nearest.push(candidate);
    least = Math.min(least, rank);
  }
  return nearest.length > mostNear ? [] : nearest;
}

/**
 * Insertions, deletions, replacements and transpositions that turn one text into another (optimal string
 * alignment, Damerau 1964).
 */
export function editDistance(from: string, to: string): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: to.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = last[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, last[j] + 1, row[j - 1] + 1);
      // The letter before the first is undefined, and equal to none.
      const exchanged = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (exchanged) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    [beforeLast, last] = [last, row];
  }
  return last[to.length];
}
