/**
 * Text from a file, such as the name of a tensor, in one line: control sequences, line breaks and direction
 * changes are escaped as in JSON, so that none reaches a terminal or a document. Text longer than `most` is
 * truncated.
 */
export function printable(text: string, most = Number.POSITIVE_INFINITY): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replace(invisible, (match) =>
    Array.from({ length: match.length }, (_, unit) => escapeUnit(match.charCodeAt(unit))).join(""),
  );
}

// Controls, bidirectional overrides and other format characters, lone surrogates, private and unassigned
// characters; the line and paragraph separators.
const invisible = /[\p{C}\p{Zl}\p{Zp}]/gu;

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
