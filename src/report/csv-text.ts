/** A cell in full; what is not known is empty. */
export type CsvCell = string | number | null | undefined;

/** What a column is called, and what it has of a row. */
export type CsvColumn<Row> = readonly [heading: string, cell: (row: Row) => CsvCell];

/** Columns of fields by the names that the result uses. */
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

/** A row for each, from what each column has of it. */
export function csvOf<Row>(rows: readonly Row[], columns: readonly CsvColumn<Row>[]): string {
  return csv([headingsOf(columns), ...rows.map((row) => cellsOf(columns, row))]);
}

/** Rows of cells as RFC 4180 has them. */
export function csv(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}

/**
 * What a spreadsheet would take for a formula is led by an apostrophe, which makes it a text there; and so is what begins with
 * one, so that a name can be had back.
 */
function quoted(cell: string): string {
  // A sign may be that of a number.
  const isFormula = /^['=@\t\r]/.test(cell) || (/^[+-]/.test(cell) && Number.isNaN(Number(cell)));
  const text = isFormula ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
