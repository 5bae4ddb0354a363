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

/** Columns in groups of so many, as many groups beside the names of the rows as there is room for, one at least. */
export function besideEachOther(
  names: Column,
  columns: readonly Column[],
  together: number,
  width: number,
): Column[][] {
  const parts: Column[][] = [];
  for (let i = 0; i < columns.length; i += together) {
    const group = columns.slice(i, i + together);
    const wider = [...(parts.at(-1) ?? [names]), ...group];
    if (parts.length > 0 && visibleWidth(layOut(wider)[0]) <= width) parts[parts.length - 1] = wider;
    else parts.push([names, ...group]);
  }
  return parts;
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
