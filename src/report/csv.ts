import type { Case, LensCounts } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import { causes } from "../lens/tally.js";

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
 * tensor. Numbers are in full; what is not known is empty. That of a sample has columns for the whole.
 */
export function renderCsv({ cases, sampling }: Result): string {
  const whole = sampling === undefined ? [] : ofWhole;
  const isShared = cases.some(({ totals }) => totals.shared !== undefined);
  const shared = isShared ? ofShared : [];
  const sharedCells = (of: Case, counts: LensCounts) =>
    isShared ? [of.through ?? "", ...numbersOf(shared, counts)] : [];
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
  ];
  const rows = cases.flatMap((of, i) => [
    [
      ...row(of, "", "", of),
      ...sharedCells(of, of),
      ...whole.map(({ share, bound }) => String(sampling?.cases[i]?.[share]?.[bound] ?? "")),
    ],
    ...of.tensors.map((tensor) => [
      ...row(of, tensor.name, tensor.shape.join("x"), tensor),
      ...sharedCells(of, tensor),
      ...whole.map(() => ""),
    ]),
  ]);
  return csv([heading, ...rows]);
}

function row(
  { format, rounding, scheme, opmath, recipe }: Case,
  tensor: string,
  shape: string,
  counts: LensCounts,
) {
  return [format, rounding, scheme, opmath, recipe?.name ?? "", tensor, shape, ...numbersOf(columns, counts)];
}

function numbersOf(of: typeof columns, counts: LensCounts): string[] {
  return of.map(([, numberOf]) => String(numberOf(counts) ?? ""));
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
