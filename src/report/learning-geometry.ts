import type { MeasureName } from "../lens/geometry-result.js";
import type { LearnRow } from "../lens/learning/learning-summary.js";
import type { NumberTable } from "./charts/figure.js";
import { figure, shortLabel, times } from "./geometry.js";
import { caseLabel } from "./labels.js";

const shown = [
  "size",
  "stableRank",
  "drift",
  "angleLeftMedian",
  "energy16",
  "principalOverlap",
  "lowOverlap",
  "rowSpread",
] as const satisfies readonly MeasureName[];

/** The geometry of models' changes, measured and relative to expected; one row per way of storing, none if unknown. */
export function learnGeometry(rows: readonly LearnRow[]): NumberTable[] {
  const measured = rows.filter(({ geometry }) => geometry !== null);
  if (measured.length === 0) return [];
  const table = (heading: string, cell: (row: LearnRow, name: MeasureName) => string) => ({
    headings: [heading, ...shown.map(shortLabel)],
    rows: measured.map((row) => [caseLabel(row), ...shown.map((name) => cell(row, name))]),
  });
  return [
    table("measured", ({ geometry }, name) => figure(name, geometry![name].measured?.mean ?? null)),
    table("over expected", ({ geometry }, name) => times(geometry![name].ratio?.mean ?? null)),
  ];
}

/** The meaning of the columns. */
export const learnGeometryNote =
  "Geometry of the change dW of what is stored, means over matrices. Size: ||dW|| / ||W||, expected of a noise walk of the same rate and steps. " +
  "Stable rank, drift of singular values (NSS), median left angle in degrees, energy in the top 16 directions: expected by shuffled signs. Share of the changes in the " +
  "principal mask, and spread over rows: by size alone. Low mask: by storage alone. Over expected, 1 is nothing beyond that (docs/gates.md).";
