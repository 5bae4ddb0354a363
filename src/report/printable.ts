/**
 * Text from a file, in one line: nothing in it may reach a terminal or a document as a control sequence, a line
 * break or a change of direction. What is longer than `most` is cut.
 */
export function printable(text: string, most = Number.POSITIVE_INFINITY): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (hidden) => `\\u{${hidden.codePointAt(0)!.toString(16)}}`);
}
