/** A column of a text table: heading and formatted cells. */
export interface Column {
  readonly heading: string;
  readonly align: "left" | "right";
  readonly cells: readonly string[];
  /** Whether it must be next to the column before it, for any width. */
  readonly joined?: boolean;
}

/** Styles the headings of a table. */
type Style = (line: string) => string;

/**
 * A table of at most `width` characters. Columns without room go into further tables below, after an empty line, each
 * with the names of the rows; names too long for their part are broken between words.
 */
export function fitted([names, ...columns]: readonly Column[], width: number, style: Style): string[] {
  return besideEachOther(names, columns, 1, width).flatMap((part, i) => {
    const [heading, ...rows] = layOut(broken(part, width));
    return [...(i > 0 ? [""] : []), style(heading), ...rows];
  });
}

/** The same columns, with the widest text column broken into several lines to fit the width. */
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

/** The minimum width of a text column. */
const narrowest = 10;

function widthOf({ heading, cells }: Column): number {
  return Math.max(...[heading, ...cells].map(visibleWidth));
}

function widestLine(columns: readonly Column[]): string {
  return layOut(columns).reduce((a, b) => (visibleWidth(b) > visibleWidth(a) ? b : a));
}

/** The lines of a table without rules: headings above, columns two spaces apart. Cells may have colour codes. */
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

/** Splits columns into groups, and puts as many groups as fit, at least one, next to the names of the rows. */
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

/** The width of a text on a terminal: without the escape sequences of colours. */
export function visibleWidth(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
  return text.replace(/\x1b\[[0-9;]*m/g, "").length;
}

/**
 * Breaks running text into lines of at most `width` characters and keeps its indentation. A path longer than a line is
 * broken after a slash; no other word is broken.
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

/** A word, or the parts of a path wider than a line, each as long as possible. */
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
