import type { Geometry, MeanMeasures } from "../lens/geometry-result.js";
import {
  columnMeasures,
  courseSentences,
  figure,
  geometryNotes,
  geometrySentence,
  isRecorded,
  measureLabel,
  measureRows,
  modelsOf,
  nullLabel,
  shortLabel,
  times,
} from "./geometry.js";
import { escaped, table } from "./markdown-text.js";
import { count, percent } from "./numbers.js";

/** Headings and cells of the tables of a geometry, which Markdown and pages share. */
export interface GeometryTable {
  readonly title: string;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Measured, expected and ratio in all; ratios by kind, by layer and by tensor, of each model; and what models share. */
export function geometryTables(geometry: Geometry, first: string): GeometryTable[] {
  const models = modelsOf(geometry, first);
  const titled = (what: string, path: string) => (models.length > 1 ? `${what}: ${path}` : what);
  const ratios = (
    title: string,
    name: string,
    rows: readonly (MeanMeasures & { readonly name: string })[],
  ) => ({
    title,
    headings: [name, "weights", "changed", ...columnMeasures.map(shortLabel)],
    rows: rows.map(({ name, elements, measures }) => [
      name,
      count(elements),
      percent(measures.changed.measured),
      ...columnMeasures.map((measure) => times(measures[measure].ratio)),
    ]),
  });
  return [
    ...models.flatMap(([path, { totals, kinds, layers }]) => [
      {
        title: titled("Measured, expected, ratio", path),
        headings: ["measure", "measured", "expected", "ratio", "by", "by weight", "others expect"],
        rows: measureRows(totals).map(([name, measure]) => [
          measureLabel(name),
          figure(name, measure.measured) +
            (measure.interval ? ` (${measure.interval.map((x) => figure(name, x)).join(" to ")})` : ""),
          figure(name, measure.expected),
          times(measure.ratio),
          nullLabel(measure.null),
          figure(name, totals.weighted[name].measured),
          (measure.others ?? [])
            .map((other) => `${figure(name, other.expected)} (${nullLabel(other.null)})`)
            .join(", ") || "–",
        ]),
      },
      ratios(
        titled("Ratio by kind", path),
        "kind",
        kinds.map((kind) => ({ ...kind, name: kind.kind })),
      ),
      ...(layers.length > 1
        ? [
            ratios(
              titled("Ratio by layer", path),
              "layer",
              layers.map((layer) => ({ ...layer, name: `${layer.stack}.${layer.layer}` })),
            ),
          ]
        : []),
    ]),
    ...(geometry.curve ? [curveTable(geometry.curve)] : []),
    ...(geometry.jaccard
      ? [
          {
            title: "Changed weights in both, of those in either",
            headings: ["models", "kind", "measured", "by size", "ratio"],
            rows: geometry.jaccard.flatMap(({ models: [a, b], totals, kinds }) =>
              [{ kind: "all", jaccard: totals }, ...kinds].map(({ kind, jaccard }) => [
                `${models[a][0]} and ${models[b][0]}`,
                kind,
                percent(jaccard.measured),
                percent(jaccard.expected),
                times(jaccard.ratio),
              ]),
            ),
          },
        ]
      : []),
  ];
}

const curveMeasures = [
  "size",
  "changed",
  "stableRank",
  "drift",
  "energy16",
  "rowSpread",
  "columnSpread",
] as const;

/** Over the updates of a recorded run: measured, and its ratio to what is expected where there is one. */
export function curveTable(curve: NonNullable<Geometry["curve"]>): GeometryTable {
  return {
    title: "After so many updates: measured (ratio)",
    headings: ["updates", ...curveMeasures.map(shortLabel)],
    rows: curve.map(({ updates, totals }) => [
      count(updates),
      ...curveMeasures.map((name) => {
        const { measured, ratio } = totals.measures[name];
        return ratio === null ? figure(name, measured) : `${figure(name, measured)} (${times(ratio)})`;
      }),
    ]),
  };
}

/** The geometry of a comparison in Markdown. */
export function geometryMarkdown(geometry: Geometry, first: string): string[] {
  const models = modelsOf(geometry, first);
  return [
    "## Geometry",
    ...models.map(([path, { totals }]) =>
      escaped(`${models.length > 1 ? `${path}: ` : ""}${geometrySentence(totals, isRecorded(geometry))}`),
    ),
    ...courseSentences(geometry).map(escaped),
    ...geometryTables(geometry, first).flatMap(({ title, headings, rows }) => [
      `### ${escaped(title)}`,
      table(headings, rows),
    ]),
    ...geometryNotes(geometry).map(escaped),
  ];
}
