import type { DifferenceCounts, DifferenceResult } from "../lens/difference/difference-result.js";
import type { Geometry, Measure, Measures, ModelGeometry } from "../lens/geometry-result.js";
import { type CsvColumn, cellsOf, csv, fields, headingsOf } from "./csv-text.js";
import { courseRows, geometryCells, geometryHeadings } from "./geometry-csv.js";

const columns: readonly CsvColumn<DifferenceCounts>[] = [
  ...fields(
    [
      ...(["elements", "nonfinite", "nonfiniteChanged", "bytesChanged", "unchanged", "changed"] as const),
      ...(["apparentSparsity", "hidden", "neverUpdated", "realSparsity", "realSparsityAtMost"] as const),
      ...(["signFlips", "displacementNorm"] as const),
    ],
    (counts: DifferenceCounts) => counts,
  ),
  ["path-not-taken.unchanged", ({ probes }) => probes["path-not-taken"].unchanged],
  ["small-subnetworks.unchanged", ({ probes }) => probes["small-subnetworks"].unchanged],
  ...[1, 2, 3].map((n): CsvColumn<DifferenceCounts> => [`ulps.${n}`, ({ ulps }) => ulps[n - 1] ?? 0]),
];

/**
 * A comparison as CSV (RFC 4180): one row in all, one for each kind of module, layer and tensor; `of` says which.
 * Numbers have all digits; unknown ones are empty. A geometry has separate columns; its parts for further models, fewer
 * updates or pairs of models are in further rows without counts.
 */
export function renderDiffCsv({ totals, kinds, layers, tensors, geometry, input }: DifferenceResult): string {
  const changes = geometry ? changesOf(geometry) : null;
  const row = (where: Place, counts: DifferenceCounts) => [
    ...where,
    ...cellsOf(columns, counts),
    ...(changes ? [input.after.path, "", ...geometryCells(changes(where)), ...noOverlap] : []),
  ];
  return csv([
    [
      ...["of", "tensor", "shape", "compared", "kind", "stack", "layer", ...headingsOf(columns)],
      ...(geometry ? ["model", "updates", ...geometryHeadings, ...overlapHeadings] : []),
    ],
    row(placeOf("all"), totals),
    ...kinds.map((kind) => row(placeOf("kind", { kind: kind.kind }), kind)),
    ...layers.map((layer) => row(placeOf("layer", layer), layer)),
    ...tensors.map((tensor) =>
      row(placeOf("tensor", { ...tensor, compared: tensor.formats.compared, shape: tensor.shape }), tensor),
    ),
    ...(geometry ? furtherRows(geometry, input.after.path) : []),
  ]);
}

type Place = readonly [level: string, tensor: string, shape: string, compared: string, ...string[]];

interface Named {
  readonly name?: string;
  readonly shape?: readonly number[];
  readonly compared?: string;
  readonly kind?: string;
  readonly stack?: string | null;
  readonly layer?: number | null;
}

function placeOf(level: string, named: Named = {}): Place {
  const { name = "", shape = [], compared = "", kind = "", stack, layer } = named;
  return [level, name, shape.join("x"), compared, kind, stack ?? "", String(layer ?? "")];
}

/** The measures of a row; undefined if there are none. */
function changesOf({ totals, kinds, layers, tensors }: ModelGeometry) {
  const keyOf = (place: Place) => JSON.stringify([place[0], place[1], ...place.slice(4)]);
  const known = new Map(
    (
      [
        [placeOf("all"), totals],
        ...kinds.map((kind) => [placeOf("kind", { kind: kind.kind }), kind] as const),
        ...layers.map((layer) => [placeOf("layer", layer), layer] as const),
        ...tensors.map((tensor) => [placeOf("tensor", tensor), tensor] as const),
      ] as const
    ).map(([place, { measures }]) => [keyOf(place), measures]),
  );
  return (place: Place) => known.get(keyOf(place));
}

const overlapHeadings = ["jaccard", "jaccard.expected", "jaccard.ratio"];
const noOverlap = overlapHeadings.map(() => "");

function furtherRows(geometry: Geometry, first: string): string[][] {
  const { others = [], jaccard = [] } = geometry;
  const counts = columns.map(() => "");
  const paths = [first, ...others.map(({ path }) => path)];
  const ofModel = (path: string, place: Place, measures: Measures) => [
    ...[...place, ...counts, path, ""],
    ...[...geometryCells(measures), ...noOverlap],
  ];
  const ofTwo = ([a, b]: readonly [number, number], place: Place, overlap: Measure) => [
    ...[...place, ...counts, `${paths[a]} and ${paths[b]}`, ""],
    ...geometryCells(undefined),
    ...[overlap.measured, overlap.expected, overlap.ratio].map((x) => String(x ?? "")),
  ];
  return [
    ...courseRows(geometry).map((cells) => [...placeOf("all"), ...counts, first, ...cells, ...noOverlap]),
    ...others.flatMap(({ path, totals, kinds, layers, tensors }) => [
      ofModel(path, placeOf("all"), totals.measures),
      ...kinds.map((kind) => ofModel(path, placeOf("kind", { kind: kind.kind }), kind.measures)),
      ...layers.map((layer) => ofModel(path, placeOf("layer", layer), layer.measures)),
      ...tensors.map((tensor) => ofModel(path, placeOf("tensor", tensor), tensor.measures)),
    ]),
    ...jaccard.flatMap(({ models, totals, kinds, tensors }) => [
      ofTwo(models, placeOf("all"), totals),
      ...kinds.map(({ kind, jaccard: overlap }) => ofTwo(models, placeOf("kind", { kind }), overlap)),
      ...tensors.map(({ name, jaccard: overlap }) => ofTwo(models, placeOf("tensor", { name }), overlap)),
    ]),
  ];
}
