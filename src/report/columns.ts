/** A column of a text table: its heading, and its cells as they are shown. */
export interface Column {
  readonly heading: string;
  readonly align: "left" | "right";
  readonly cells: readonly string[];
  /** Whether it is shown beside the column before it, whatever the width. */
  readonly joined?: boolean;
}

/** How the headings of a table are shown. */
type Style = (line: string) => string;

/**
 * A table of at most `width` columns. Columns that have no room go into further tables below, after an empty line, each with
 * the names of the rows; names too long for their part are broken between words.
 */
export function fitted([names, ...columns]: readonly Column[], width: number, style: Style): string[] {
  return besideEachOther(names, columns, 1, width).flatMap((part, i) => {
    const [heading, ...rows] = layOut(broken(part, width));
    return [...(i > 0 ? [""] : []), style(heading), ...rows];
  });
}

/** The same columns, the widest of text broken into as many rows as a width takes. */
function broken(columns: readonly Column[], width: number): readonly Column[] {
  const over = visibleWidth(widestLine(columns)) - width;
  const text = columns.filter(({ align }) => align === "left");
  if (over <= 0 || text.length === 0) return columns;
  const widest = text.reduce((a, b) => (widthOf(b) > widthOf(a) ? b : a));
  const room = Math.max(widthOf(widest) - over, narrowest);
  const lines = widest.cells.map((cell) => wrap(cell, room));
  return columns.map((column) => {
    if (column === widest) return { ...column, cells: lines.flat() };
    return {
      ...column,
      cells: lines.flatMap((cellLines, row) =>
        cellLines.map((_, i) => (i === 0 ? (column.cells[row] ?? "") : "")),
      ),
    };
  });
}

/** No column of text is made narrower. */
const narrowest = 10;

function widthOf({ heading, cells }: Column): number {
  return Math.max(...[heading, ...cells].map(visibleWidth));
}

function widestLine(columns: readonly Column[]): string {
  return layOut(columns).reduce((a, b) => (visibleWidth(b) > visibleWidth(a) ? b : a));
}

/** Lines of a table without rules: columns two spaces apart, headings above. Cells may hold colour codes. */
export function layOut(columns: readonly Column[]): string[] {
  const rows = Math.max(0, ...columns.map(({ cells }) => cells.length));
  const widths = columns.map(widthOf);
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
  for (let i = 0; i < columns.length; ) {
    let end = i + together;
    while (columns[end]?.joined) end++;
    const group = columns.slice(i, end);
    i = end;
    const wider = [...(parts.at(-1) ?? [names]), ...group];
    if (parts.length > 0 && visibleWidth(widestLine(wider)) <= width) parts[parts.length - 1] = wider;
    else parts.push([names, ...group]);
  }
  return parts;
}

/** Columns that a text takes on a terminal: without the escape sequences of colours. */
export function visibleWidth(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
  return text.replace(/\x1b\[[0-9;]*m/g, "").length;
}

/**
 * Breaks running text into lines of at most `width` columns; what it is indented by stays before its first word. A path that is
 * longer than a line is broken after a slash; no other word is broken.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  const indent = /^ */.exec(text)![0];
  const [first, ...words] = text.slice(indent.length).split(" ");
  for (const word of [indent + first, ...words]) {
    const last = lines.at(-1);
    const [start, ...rest] = brokenPath(word, width);
    if (last !== undefined && visibleWidth(last) + 1 + visibleWidth(start) <= width) {
      lines[lines.length - 1] = `${last} ${start}`;
    } else {
      lines.push(start);
    }
    lines.push(...rest);
  }
  return lines;
}

/** A word, or the parts of a path that is wider than a line, each as long as it can be. */
function brokenPath(word: string, width: number): string[] {
  if (visibleWidth(word) <= width || !word.includes("/")) return [word];
  const parts: string[] = [];
  for (const piece of word.split(/(?<=\/)/)) {
    const last = parts.at(-1);
    if (last !== undefined && visibleWidth(last) + visibleWidth(piece) <= width)
      parts[parts.length - 1] = last + piece;
    else parts.push(piece);
  }
  return parts;
}
