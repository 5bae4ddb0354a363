import { printable } from "../lens/printable.js";

/**
 * Unusable input: one sentence that names the file, what was expected there and what was found. The message
 * is one line and safe to print, whatever the file contains, if `expected` and `found` pass text from files
 * through {@link quote}.
 */
export class InputError extends Error {
  readonly file: string;
  readonly expected: string;
  readonly found: string;

  constructor(file: string, expected: string, found: string) {
    super(`${printable(file)}: expected ${expected}, found ${found}`);
    this.name = "InputError";
    this.file = file;
    this.expected = expected;
    this.found = found;
  }
}

/** Text from a file as a JSON string of at most about 120 characters, safe to print. */
export function quote(text: string): string {
  return printable(JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text));
}
