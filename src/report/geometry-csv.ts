import { type Geometry, type MeasureName, type Measures, measureNames } from "../lens/geometry-result.js";

/** A geometry as columns beside those of a set of weights: of each measure what was found, what is expected, and the ratio. */

const parts = ["measured", "expected", "ratio"] as const;

/** `stableRank`, `stableRank.expected`, `stableRank.ratio`, ... */
export const geometryHeadings: readonly string[] = measureNames.flatMap((name) =>
  parts.map((part) => (part === "measured" ? name : `${name}.${part}`)),
);

/** Empty for what is not known. */
export function geometryCells(measures: Pick<Measures, MeasureName> | undefined): string[] {
  return measureNames.flatMap((name) => parts.map((part) => String(measures?.[name][part] ?? "")));
}

/** The means after so many updates of a recorded run. */
export function courseRows({ curve = [] }: Geometry): [updates: string, ...cells: string[]][] {
  return curve.map(({ updates, totals }) => [String(updates), ...geometryCells(totals.measures)]);
}
