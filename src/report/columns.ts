/** A column of a text table: its heading, and its cells as they are shown. */
export interface Column {
  readonly heading: string;
  readonly align: "left" | "right";
  readonly cells: readonly string[];
}

/** Lines of a table without rules: columns two spaces apart, headings above. Cells may hold colour codes. */
export function layOut(columns: readonly Column[]): string[] {
  const rows = Math.max(0, ...columns.map(({ cells }) => cells.length));
  const widths = columns.map(({ heading, cells }) => Math.max(...[heading, ...cells].map(visibleWidth)));
  const line = (cellOf: (column: Column) => string) =>
    columns
      .map((column, i) => {
        const cell = cellOf(column);
        const padding = " ".repeat(widths[i] - visibleWidth(cell));
        return column.align === "left" ? cell + padding : padding + cell;
      })
      .join("  ")
      .trimEnd();
  return [
    line(({ heading }) => heading),
    ...Array.from({ length: rows }, (_, row) => line(({ cells }) => cells[row] ?? "")),
  ];
}

/** Columns that a text takes on a terminal: without the escape sequences of colours. */
export function visibleWidth(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
  return text.replace(/\x1b\[[0-9;]*m/g, "").length;
}

/** Breaks running text into lines of at most `width` columns. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && visibleWidth(last) + 1 + visibleWidth(word) <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}
