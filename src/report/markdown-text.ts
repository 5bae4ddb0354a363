import { printable } from "../lens/printable.js";

/** A table of GitHub's: first column to the left, the others, numbers, to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
  const rule = `|${headings.map((_, i) => (i === 0 ? ":--" : "--:")).join("|")}|`;
  return [line(headings), rule, ...rows.map(line)].join("\n");
}

/** Names come from files: they must not become markup. */
export function escaped(text: string): string {
  return printable(text).replace(/[\\|<>&`*_[\]~$]/g, (mark) => `\\${mark}`);
}
