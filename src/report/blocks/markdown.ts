import { printable } from "../../lens/printable.js";
import { type Block, type Report, shownIn } from "./block.js";

/** A report as GitHub-flavoured Markdown. */
export function markdownText({
  title,
  blocks,
  skipped,
}: Pick<Report, "title" | "blocks" | "skipped">): string {
  const left = skipped.map(({ name, reason }) => [name, reason]);
  return `${[
    `# ${escaped(title)}`,
    ...parts(shownIn("markdown", blocks), 2),
    ...(left.length > 0 ? ["## Not counted", tableText(["tensor", "reason"], left)] : []),
  ].join("\n\n")}\n`;
}

/** @param level the level of headings. */
function parts(blocks: readonly Block[], level: number): string[] {
  return blocks.flatMap((block): string[] => {
    if (block.kind === "text") return block.paragraphs.map(escaped);
    if (block.kind === "table") {
      return [tableText(block.headings, block.rows), ...(block.notes ?? []).map(escaped)];
    }
    if (block.kind !== "section") return [];
    return [
      `${"#".repeat(level)} ${escaped(block.heading)}`,
      ...parts(shownIn("markdown", block.blocks), level + 1),
    ];
  });
}

/** A table with the first column aligned left, and the others, which are numbers, right. */
function tableText(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
  const rule = `|${headings.map((_, i) => (i === 0 ? ":--" : "--:")).join("|")}|`;
  return [line(headings), rule, ...rows.map(line)].join("\n");
}

/** Escapes names from files, which must not become markup. */
export function escaped(text: string): string {
  return printable(text).replace(/[\\|<>&`*_[\]~$]/g, (mark) => `\\${mark}`);
}
