import type { Case, LensCounts } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import { causes } from "../lens/tally.js";

import { type CsvColumn, cellsOf, csv, fields, headingsOf } from "./csv-text.js";
import { courseRows, geometryCells, geometryHeadings } from "./geometry-csv.js";

/** The counts of a set of weights. */
const columns: readonly CsvColumn<LensCounts>[] = [
  ...fields(
    [
      ...(["elements", "steps", "none", "lost", "kept", "moved", "nonfinite", "castChanged"] as const),
      ...(["realSparsity", "apparentSparsity", "hiddenShare"] as const),
      ...(["updateNorm", "effectiveNorm", "effectiveDescent"] as const),
    ],
    ({ totals }: LensCounts) => totals,
  ),
  ...fields(
    [
      ...(["unchanged", "neverUpdated", "cancelled", "hidden", "returned", "nonfinite"] as const),
      ...(["visible", "retained", "noise", "noiseToWeight", "parted"] as const),
    ],
    ({ end }: LensCounts) => end,
    "end.",
  ),
  ...fields(causes, (counts: LensCounts) => counts.causes, "cause."),
  ["path-not-taken.unchanged", ({ probes }) => probes["path-not-taken"].unchanged],
  ["small-subnetworks.unchanged", ({ probes }) => probes["small-subnetworks"].unchanged],
  ...fields(
    ["lost", "lostButMoved", "visibleButUnmoved"],
    ({ probes }: LensCounts) => probes["ulp-rule"],
    "ulp-rule.",
  ),
  ...fields(["collateral", "zeros"], ({ totals }: LensCounts) => totals),
];

/** The counts for formats with shared scales. */
const ofShared: readonly CsvColumn<LensCounts>[] = [
  ...fields(
    ["codes", "blocks", "blockScales", "tensors", "tensorScales", "bits", "clipped", "flushed"],
    ({ totals }: LensCounts) => totals.shared,
    "shared.",
  ),
  ...fields(
    ["codes", "blockScales", "tensorScales", "bits"],
    ({ end }: LensCounts) => end.shared,
    "end.shared.",
  ),
];

/** Estimates for the whole from a sample, in the rows over all tensors. */
const ofWhole = (
  ["unchanged", "hidden", "apparentSparsity", "retained", "visible", "noise", "noiseToWeight"] as const
).flatMap((share) =>
  (["estimate", "low", "high"] as const).map((bound) => ({ name: `whole.${share}.${bound}`, share, bound })),
);

/**
 * A result as CSV (RFC 4180): for each case one row over all tensors, whose `tensor` is empty, and one for each
 * tensor. Numbers have all digits; unknown ones are empty. A sample has columns of estimates for the whole. A geometry
 * has separate columns, the same for every case, and further rows by `updates` with only these columns.
 */
export function renderCsv({ cases, sampling, geometry }: Result): string {
  const whole = sampling === undefined ? [] : ofWhole;
  const isShared = cases.some(({ totals }) => totals.shared !== undefined);
  const shared = isShared ? ofShared : [];
  const sharedCells = (caseResult: Case, counts: LensCounts) =>
    isShared ? [caseResult.through ?? "", ...cellsOf(shared, counts)] : [];
  const heading = [
    "format",
    "rounding",
    "scheme",
    "opmath",
    "recipe",
    "tensor",
    "shape",
    ...headingsOf(columns),
    ...(isShared ? ["through", ...headingsOf(shared)] : []),
    ...whole.map(({ name }) => name),
    ...(geometry ? ["updates", ...geometryHeadings] : []),
  ];
  const changes = new Map(geometry?.tensors.map(({ name, measures }) => [name, measures]));
  const ofGeometry = (measures: Parameters<typeof geometryCells>[0]) =>
    geometry ? ["", ...geometryCells(measures)] : [];
  const rows = cases.flatMap((caseResult, i) => [
    [
      ...row(caseResult, "", "", caseResult),
      ...sharedCells(caseResult, caseResult),
      ...whole.map(({ share, bound }) => String(sampling?.cases[i]?.[share]?.[bound] ?? "")),
      ...ofGeometry(geometry?.totals.measures),
    ],
    ...caseResult.tensors.map((tensor) => [
      ...row(caseResult, tensor.name, tensor.shape.join("x"), tensor),
      ...sharedCells(caseResult, tensor),
      ...whole.map(() => ""),
      ...ofGeometry(changes.get(tensor.name)),
    ]),
  ]);
  const course = geometry ? courseRows(geometry) : [];
  const before = heading.length - 1 - geometryHeadings.length;
  const further = course.map((cells) => [...Array.from({ length: before }, () => ""), ...cells]);
  return csv([heading, ...rows, ...further]);
}

function row(
  { format, rounding, scheme, opmath, recipe }: Case,
  tensor: string,
  shape: string,
  counts: LensCounts,
) {
  return [format, rounding, scheme, opmath, recipe?.name ?? "", tensor, shape, ...cellsOf(columns, counts)];
}
