import { besideEachOther, type Column, fitted, layOut, visibleWidth, wrap } from "../columns.js";
import { skippedLines } from "../skipped.js";
import { plainTerminal, styles, type Terminal } from "../terminal.js";
import { type Block, type BlockOf, type Report, shownIn, type Table } from "./block.js";

/** A report as text for a terminal or a pipe. */
export function terminalText(
  report: Pick<Report, "blocks" | "skipped">,
  terminal: Terminal = plainTerminal,
): string {
  const shown = [...parts(shownIn("terminal", report.blocks), terminal), skipped(report, terminal)];
  return `${shown
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

/** Running text is broken at 100 columns at most. */
export function textWidth({ columns }: Terminal): number {
  return Math.min(columns, 100);
}

/** The lines of each block; blocks are separated by an empty line. */
function parts(blocks: readonly Block[], terminal: Terminal): (readonly string[])[] {
  return blocks.flatMap((block): (readonly string[])[] => {
    if (block.kind === "text") return [textLines(block, terminal)];
    if (block.kind === "table") return [tableLines(block, terminal)];
    if (block.kind === "lines") return [block.draw(terminal)];
    return block.kind === "section" ? parts(shownIn("terminal", block.blocks), terminal) : [];
  });
}

function textLines({ paragraphs, as }: BlockOf<"text">, terminal: Terminal): string[] {
  const { bold, dim } = styles(terminal);
  const style = { strong: bold, plain: (line: string) => line, note: dim }[as];
  return paragraphs.flatMap((paragraph) => wrap(paragraph, textWidth(terminal))).map(style);
}

/** A table in as many parts as the terminal needs, and its notes. */
export function tableLines(shown: Table, terminal: Terminal): string[] {
  const { bold } = styles(terminal);
  const [names, ...columns] = columnsOf(shown);
  const lines = shown.even
    ? evenly(names, columns, terminal).flatMap((part, i) => {
        const [heading, ...rows] = layOut(part);
        return [...(i > 0 ? [""] : []), bold(heading), ...rows];
      })
    : fitted([names, ...columns], terminal.columns, bold);
  const { notes = [] } = shown;
  return [...lines, ...textLines({ kind: "text", paragraphs: notes, as: "note" }, terminal)];
}

/** The width that a table needs in one part. */
export function tableWidth(shown: Table): number {
  return visibleWidth(layOut(columnsOf(shown))[0]);
}

function columnsOf({ headings, rows, align = "l", joined = [] }: Table): Column[] {
  return headings.map((heading, c) => ({
    heading,
    align: align[c] === "l" ? "left" : "right",
    cells: rows.map((row) => row[c]),
    joined: joined.includes(heading),
  }));
}

/** Equally many columns in each part, or one fewer in the last ones. */
function evenly(names: Column, columns: readonly Column[], { columns: width }: Terminal): Column[][] {
  const [first] = besideEachOther(names, widened(columns), 1, width);
  const least = Math.ceil(columns.length / (first.length - 1));
  const each = Math.ceil(columns.length / least);
  return Array.from({ length: Math.ceil(columns.length / each) }, (_, part) => [
    names,
    ...columns.slice(part * each, (part + 1) * each),
  ]);
}

/** The columns, padded to the width of the widest. */
function widened(columns: readonly Column[]): Column[] {
  const widest = Math.max(
    ...columns.flatMap(({ heading, cells }) => [heading, ...cells].map(({ length }) => length)),
  );
  return columns.map((column) => ({ ...column, heading: column.heading.padStart(widest) }));
}

function skipped({ skipped: left }: Pick<Report, "skipped">, terminal: Terminal): string[] {
  return left.length === 0
    ? []
    : textLines({ kind: "text", paragraphs: skippedLines(left), as: "note" }, terminal);
}
