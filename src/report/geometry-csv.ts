import { type Geometry, type MeasureName, type Measures, measureNames } from "../lens/geometry-result.js";
import { type CsvColumn, cellsOf, headingsOf } from "./csv-text.js";

/** A geometry as columns: for each measure its value, the expected value, and their ratio. */

const parts = ["measured", "expected", "ratio"] as const;

type Known = Pick<Measures, MeasureName> | undefined;

/** `stableRank`, `stableRank.expected`, `stableRank.ratio`, ... */
export function geometryColumns<Row>(measuresOf: (row: Row) => Known): CsvColumn<Row>[] {
  return measureNames.flatMap((name) =>
    parts.map(
      (part): CsvColumn<Row> => [
        part === "measured" ? name : `${name}.${part}`,
        (row) => measuresOf(row)?.[name][part],
      ],
    ),
  );
}

const columns = geometryColumns((measures: Known) => measures);

export const geometryHeadings: readonly string[] = headingsOf(columns);

/** Empty if unknown. */
export function geometryCells(measures: Known): string[] {
  return cellsOf(columns, measures);
}

/** The means after several numbers of updates of a recorded run. */
export function courseRows({ curve = [] }: Geometry): [updates: string, ...cells: string[]][] {
  return curve.map(({ updates, totals }) => [String(updates), ...geometryCells(totals.measures)]);
}
