/** A mistake in one place of the sources, which a tier of the tests must find. */
export interface Fault {
  readonly file: string;
  /** What the file would do wrong. */
  readonly mistake: string;
  /** A text that the file has once, and what stands there instead. */
  readonly find: string;
  readonly replace: string;
  /** The group of tests that finds it. */
  readonly group: string;
  /** Whether only the full tier finds it. */
  readonly fullOnly?: boolean;
}

export const faults: readonly Fault[] = [];
