/** A cell with all digits; empty if unknown. */
export type CsvCell = string | number | null | undefined;

/** A column's heading, and its cell for a row. */
export type CsvColumn<Row> = readonly [heading: string, cell: (row: Row) => CsvCell];

/** Columns for fields, named as in the result. */
export function fields<Row, Name extends string>(
  names: readonly Name[],
  holderOf: (row: Row) => Readonly<Partial<Record<Name, CsvCell>>> | null | undefined,
  prefix = "",
): CsvColumn<Row>[] {
  return names.map((name) => [`${prefix}${name}`, (row) => holderOf(row)?.[name]]);
}

export function headingsOf(columns: readonly CsvColumn<never>[]): string[] {
  return columns.map(([heading]) => heading);
}

export function cellsOf<Row>(columns: readonly CsvColumn<Row>[], row: Row): string[] {
  return columns.map(([, cell]) => String(cell(row) ?? ""));
}

/** CSV with one line per row. */
export function csvOf<Row>(rows: readonly Row[], columns: readonly CsvColumn<Row>[]): string {
  return csv([headingsOf(columns), ...rows.map((row) => cellsOf(columns, row))]);
}

/** Formats rows of cells according to RFC 4180. */
export function csv(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}

/**
 * Prefixes cells that a spreadsheet would take for a formula with an apostrophe, which makes them text there; also
 * cells that begin with an apostrophe, so that names can be recovered.
 */
function quoted(cell: string): string {
  // A leading sign is allowed in numbers.
  const isFormula = /^['=@\t\r]/.test(cell) || (/^[+-]/.test(cell) && Number.isNaN(Number(cell)));
  const text = isFormula ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
