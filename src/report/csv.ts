import type { Case, LensCounts } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import { causes } from "../lens/tally.js";

import { courseRows, geometryCells, geometryHeadings } from "./geometry-csv.js";

/** Columns of one row: what is counted of a set of weights, by the names that the result uses. */
const columns: readonly (readonly [string, (counts: LensCounts) => number | null])[] = [
  ...(
    [
      "elements",
      "steps",
      "none",
      "lost",
      "kept",
      "moved",
      "nonfinite",
      "castChanged",
      "realSparsity",
      "apparentSparsity",
      "hiddenShare",
      "updateNorm",
      "effectiveNorm",
      "effectiveDescent",
    ] as const
  ).map((name) => [name, ({ totals }: LensCounts) => totals[name]] as const),
  ...(
    [
      "unchanged",
      "neverUpdated",
      "cancelled",
      "hidden",
      "returned",
      "nonfinite",
      "visible",
      "retained",
      "noise",
      "noiseToWeight",
    ] as const
  ).map((name) => [`end.${name}`, ({ end }: LensCounts) => end[name]] as const),
  ["end.parted", ({ end }) => end.parted],
  ...causes.map((cause) => [`cause.${cause}`, ({ causes }: LensCounts) => causes?.[cause] ?? null] as const),
  ["path-not-taken.unchanged", ({ probes }) => probes["path-not-taken"].unchanged],
  ["small-subnetworks.unchanged", ({ probes }) => probes["small-subnetworks"].unchanged],
  ["ulp-rule.lost", ({ probes }) => probes["ulp-rule"].lost],
  ["ulp-rule.lostButMoved", ({ probes }) => probes["ulp-rule"].lostButMoved],
  ["ulp-rule.visibleButUnmoved", ({ probes }) => probes["ulp-rule"].visibleButUnmoved],
  ["collateral", ({ totals }) => totals.collateral],
  ["zeros", ({ totals }) => totals.zeros],
];

/** Of formats with shared scales. */
const ofShared: typeof columns = [
  ...(
    ["codes", "blocks", "blockScales", "tensors", "tensorScales", "bits", "clipped", "flushed"] as const
  ).map((name) => [`shared.${name}`, ({ totals }: LensCounts) => totals.shared?.[name] ?? null] as const),
  ...(["codes", "blockScales", "tensorScales", "bits"] as const).map(
    (name) => [`end.shared.${name}`, ({ end }: LensCounts) => end.shared?.[name] ?? null] as const,
  ),
];

/** What a sample tells of the whole, in the rows over all tensors. */
const ofWhole = (
  ["unchanged", "hidden", "apparentSparsity", "retained", "visible", "noise", "noiseToWeight"] as const
).flatMap((share) =>
  (["estimate", "low", "high"] as const).map((bound) => ({ name: `whole.${share}.${bound}`, share, bound })),
);

/**
 * A result as CSV (RFC 4180): for each case one row over all tensors, whose `tensor` is empty, and one for each
 * tensor. Numbers are in full; what is not known is empty. That of a sample has columns for the whole. A geometry is in columns
 * of its own, the same for every case, and in further rows that have nothing else, by `updates`.
 */
export function renderCsv({ cases, sampling, geometry }: Result): string {
  const whole = sampling === undefined ? [] : ofWhole;
  const isShared = cases.some(({ totals }) => totals.shared !== undefined);
  const shared = isShared ? ofShared : [];
  const sharedCells = (lensCase: Case, counts: LensCounts) =>
    isShared ? [lensCase.through ?? "", ...numbersOf(shared, counts)] : [];
  const heading = [
    "format",
    "rounding",
    "scheme",
    "opmath",
    "recipe",
    "tensor",
    "shape",
    ...columns.map(([name]) => name),
    ...(isShared ? ["through", ...shared.map(([name]) => name)] : []),
    ...whole.map(({ name }) => name),
    ...(geometry ? ["updates", ...geometryHeadings] : []),
  ];
  const changes = new Map(geometry?.tensors.map(({ name, measures }) => [name, measures]));
  const ofGeometry = (measures: Parameters<typeof geometryCells>[0]) =>
    geometry ? ["", ...geometryCells(measures)] : [];
  const rows = cases.flatMap((lensCase, i) => [
    [
      ...row(lensCase, "", "", lensCase),
      ...sharedCells(lensCase, lensCase),
      ...whole.map(({ share, bound }) => String(sampling?.cases[i]?.[share]?.[bound] ?? "")),
      ...ofGeometry(geometry?.totals.measures),
    ],
    ...lensCase.tensors.map((tensor) => [
      ...row(lensCase, tensor.name, tensor.shape.join("x"), tensor),
      ...sharedCells(lensCase, tensor),
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
  return [format, rounding, scheme, opmath, recipe?.name ?? "", tensor, shape, ...numbersOf(columns, counts)];
}

function numbersOf(shown: typeof columns, counts: LensCounts): string[] {
  return shown.map(([, numberOf]) => String(numberOf(counts) ?? ""));
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
