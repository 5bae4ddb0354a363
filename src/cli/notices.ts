/** Notices for stderr, each once, to print when the command line has been parsed. */
const pending = new Set<string>();

/** Prints a sentence before the command runs, unless --quiet is given. */
export function notice(sentence: string): void {
  pending.add(sentence);
}

/** Prints pending notices. Command lines are parsed synchronously, so none gets another's notices. */
export function tellNotices(write: ((line: string) => void) | null): void {
  for (const sentence of pending) write?.(`precision-lens: ${sentence}\n`);
  pending.clear();
}
