/**
 * The text with everything escaped that a terminal might obey instead of showing. Names of files and tensors are
 * others' text: whatever prints them passes them through this.
 */
export function printable(text: string): string {
  return text.replace(invisible, (match) =>
    Array.from({ length: match.length }, (_, unit) => escapeUnit(match.charCodeAt(unit))).join(""),
  );
}

// Controls, bidirectional overrides and other format characters, lone surrogates, private and unassigned
// characters; the line and paragraph separators.
const invisible = /[\p{C}\p{Zl}\p{Zp}]/gu;

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
