/** Longer names would flood a terminal; JSON and CSV have them whole. */
const mostCharacters = 120;

/**
 * Text from a file, in one line: nothing in it may reach a terminal or a document as a control sequence, a line
 * break or a change of direction.
 */
export function printable(text: string): string {
  const cut = text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
  return cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (hidden) =>
    Array.from(hidden, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`).join(""),
  );
}
