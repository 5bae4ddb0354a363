/** What is to be said on stderr once a command line is understood, however often there was reason to. */
const pending = new Set<string>();

/** Says a sentence before the command runs, unless it is told to be quiet. */
export function notice(sentence: string): void {
  pending.add(sentence);
}

/** Writes what is pending. Command lines are understood in one go, so that none takes another's notices. */
export function tellNotices(write: ((line: string) => void) | null): void {
  for (const sentence of pending) write?.(`precision-lens: ${sentence}\n`);
  pending.clear();
}
