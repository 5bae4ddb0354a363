import type { Geometry, MeanMeasures, ModelGeometry } from "../../lens/geometry-result.js";
import { printable } from "../../lens/printable.js";
import {
  type Block,
  beside,
  figures,
  inDocument,
  note,
  onPage,
  onTerminal,
  section,
  table,
  tableOf,
  text,
} from "../blocks/block.js";
import { half, type NumberTable } from "../charts/figure.js";
import { geometryFigures } from "../charts/geometry-chart.js";
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
} from "../geometry.js";
import { count, missing, percent } from "../numbers.js";

/**
 * The geometry of the changes, if measured.
 *
 * @param first the path of the first tuned model.
 */
export function geometrySection(geometry: Geometry | undefined, first: string): Block | null {
  if (geometry === undefined) return null;
  const models = modelsOf(geometry, first);
  const paths = models.map(([path]) => path);
  const isOne = models.length === 1;
  const { curve } = geometry;
  const sentence = ({ totals }: ModelGeometry) => geometrySentence(totals, isRecorded(geometry));
  const course = courseSentences(geometry);
  const titled = (what: string, path: string) => (isOne ? what : `${what}: ${path}`);
  return section("How the changes lie", [
    onTerminal(() => [
      ...models.flatMap(([path, model]) => [
        ...(isOne ? [] : [text([printable(path, 100)], "strong")]),
        text([sentence(model)]),
        ...(model.totals.measures.changed.measured ? briefTables(model) : []),
      ]),
      table(curve ? courseTable("after updates", curve) : null, { align: "r" }),
      ...course.map((each) => text([each])),
      table(overlapTable(geometry, paths)),
    ]),
    inDocument(() => [
      text([...models.map(([path, model]) => `${isOne ? "" : `${path}: `}${sentence(model)}`), ...course]),
    ]),
    onPage(() => {
      const drawn = geometryFigures(geometry);
      const narrow = drawn.filter(({ size }) => size.width === half);
      return [
        figures(...drawn.filter((shown) => !narrow.includes(shown))),
        ...(narrow.length > 0 ? [beside(...narrow)] : []),
      ];
    }),
    inDocument(() => [
      ...models.flatMap(([path, model]) => [
        section(titled("Measured, expected, ratio", path), [table(fullTable(model))]),
        section(titled("Ratio by kind", path), [table(ratioTable("kind", model.kinds.map(byKind)))]),
        ...(model.layers.length > 1
          ? [section(titled("Ratio by layer", path), [table(ratioTable("layer", model.layers.map(byLayer)))])]
          : []),
      ]),
      ...(curve
        ? [section("After so many updates: measured (ratio)", [table(courseTable("updates", curve))])]
        : []),
      section("Changed weights in both, of those in either", [table(overlapByKind(geometry, paths))]),
    ]),
    note(...geometryNotes(geometry)),
  ]);
}

/** The maximum rows of layers on a terminal; for deeper stacks, the layers with spectra. */
const mostLayers = 24;

function briefTables(model: ModelGeometry): (Block | null)[] {
  const { kinds, layers, totals } = model;
  const shown =
    layers.length <= mostLayers ? layers : layers.filter(({ spectra }) => spectra).slice(0, mostLayers);
  const isOneStack = new Set(shown.map(({ stack }) => stack)).size <= 1;
  const rows = shown.map((layer) => (isOneStack ? { ...layer, name: String(layer.layer) } : byLayer(layer)));
  const rest =
    shown.length < layers.length ? [`(${shown.length} of ${layers.length} layers; --json has all)`] : [];
  return [
    table(measuresTable("geometry", totals), { align: "lrrrl" }),
    table(ratioTable("ratio by kind", kinds.map(byKind))),
    layers.length < 2 ? null : table(ratioTable("ratio by layer", rows), { notes: rest }),
  ];
}

interface Row extends MeanMeasures {
  readonly name: string;
}

const byKind = (kind: ModelGeometry["kinds"][number]): Row => ({ ...kind, name: kind.kind });
const byLayer = (layer: ModelGeometry["layers"][number]): Row => ({
  ...layer,
  name: `${printable(layer.stack, 30)}.${layer.layer}`,
});

/** Measured value, expected value and ratio over all tensors. */
function measuresTable(heading: string, totals: MeanMeasures): NumberTable {
  return tableOf(measureRows(totals), [
    [heading, ([name]) => measureLabel(name)],
    ["measured", ([name, { measured }]) => figure(name, measured)],
    ["expected", ([name, { expected }]) => figure(name, expected)],
    ["ratio", ([, { ratio }]) => times(ratio)],
    ["by", ([, measure]) => nullLabel(measure.null)],
  ]);
}

/** The same with intervals, weighted by size, and with the expectations of other null models. */
function fullTable({ totals }: ModelGeometry): NumberTable {
  return tableOf(measureRows(totals), [
    ["measure", ([name]) => measureLabel(name)],
    [
      "measured",
      ([name, { measured, interval }]) =>
        figure(name, measured) + (interval ? ` (${interval.map((x) => figure(name, x)).join(" to ")})` : ""),
    ],
    ["expected", ([name, { expected }]) => figure(name, expected)],
    ["ratio", ([, { ratio }]) => times(ratio)],
    ["by", ([, measure]) => nullLabel(measure.null)],
    ["by weight", ([name]) => figure(name, totals.weighted[name].measured)],
    [
      "others expect",
      ([name, { others = [] }]) =>
        others.map((other) => `${figure(name, other.expected)} (${nullLabel(other.null)})`).join(", ") ||
        missing,
    ],
  ]);
}

function ratioTable(heading: string, rows: readonly Row[]): NumberTable {
  return tableOf(rows, [
    [heading, ({ name }) => name],
    ["weights", ({ elements }) => count(elements)],
    ["changed", ({ measures }) => percent(measures.changed.measured)],
    ...columnMeasures
      .filter((name) => rows.some(({ measures }) => measures[name].ratio !== null))
      .map((name) => [shortLabel(name), ({ measures }: Row) => times(measures[name].ratio)] as const),
  ]);
}

const courseMeasures = [
  "size",
  "changed",
  "stableRank",
  "drift",
  "energy16",
  "rowSpread",
  "columnSpread",
] as const;

/** Over the updates of a recorded run: measured values, and ratios to the expected ones if known. */
function courseTable(heading: string, curve: NonNullable<Geometry["curve"]>): NumberTable {
  return tableOf(curve, [
    [heading, ({ updates }) => count(updates)],
    ...courseMeasures.map(
      (name) =>
        [
          shortLabel(name),
          ({ totals }: (typeof curve)[number]) => {
            const { measured, ratio } = totals.measures[name];
            return ratio === null ? figure(name, measured) : `${figure(name, measured)} (${times(ratio)})`;
          },
        ] as const,
    ),
  ]);
}

/** The overlap of changed weights of two models, over all tensors. */
function overlapTable(geometry: Geometry, paths: readonly string[]): NumberTable {
  const name = (model: number) => printable(paths[model].split("/").at(-1) ?? "", 24);
  return tableOf(geometry.jaccard ?? [], [
    ["changed weights in both, of those in either", ({ models: [a, b] }) => `${name(a)} and ${name(b)}`],
    ["measured", ({ totals }) => percent(totals.measured)],
    ["by size", ({ totals }) => percent(totals.expected)],
    ["ratio", ({ totals }) => times(totals.ratio)],
  ]);
}

/** The same by kind of module. */
function overlapByKind({ jaccard = [] }: Geometry, paths: readonly string[]): NumberTable {
  const rows = jaccard.flatMap(({ models: [a, b], totals, kinds }) =>
    [{ kind: "all", jaccard: totals }, ...kinds].map((row) => ({
      ...row,
      pair: `${paths[a]} and ${paths[b]}`,
    })),
  );
  return tableOf(rows, [
    ["models", ({ pair }) => pair],
    ["kind", ({ kind }) => kind],
    ["measured", ({ jaccard: { measured } }) => percent(measured)],
    ["by size", ({ jaccard: { expected } }) => percent(expected)],
    ["ratio", ({ jaccard: { ratio } }) => times(ratio)],
  ]);
}
