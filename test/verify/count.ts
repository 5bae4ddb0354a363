/** How many cases a check compared, how many were wrong, and the first of these. */
export class Count {
  cases = 0;
  mismatches = 0;
  first = "";

  /** Counts a case; `describe` is called for the first mismatch only. */
  compare(actual: number, expected: number, describe: () => string): void {
    this.cases += 1;
    if (!Object.is(actual, expected)) {
      this.miss(() => `${describe()}: expected ${shown(expected)}, got ${shown(actual)}`);
    }
  }

  /** Counts a mismatch among cases that the caller counts. */
  miss(describe: () => string): void {
    this.mismatches += 1;
    if (this.mismatches === 1) this.first = describe();
  }

  /** Takes in the count of another part of the same check. */
  add(other: Pick<Count, "cases" | "mismatches" | "first">): void {
    this.cases += other.cases;
    this.mismatches += other.mismatches;
    this.first ||= other.first;
  }
}

function shown(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}
