import type { DifferenceCounts, DifferenceResult } from "../lens/difference/difference-result.js";
import { csv } from "./csv.js";

const columns: readonly (readonly [string, (counts: DifferenceCounts) => number | null])[] = [
  ...(
    [
      "elements",
      "nonfinite",
      "nonfiniteChanged",
      "bytesChanged",
      "unchanged",
      "changed",
      "apparentSparsity",
      "hidden",
      "neverUpdated",
      "realSparsity",
      "realSparsityAtMost",
      "signFlips",
      "displacementNorm",
    ] as const
  ).map((name) => [name, (counts: DifferenceCounts) => counts[name]] as const),
  ["path-not-taken.unchanged", ({ probes }) => probes["path-not-taken"].unchanged],
  ["small-subnetworks.unchanged", ({ probes }) => probes["small-subnetworks"].unchanged],
  ["ulps.1", ({ ulps }) => ulps[0] ?? 0],
  ["ulps.2", ({ ulps }) => ulps[1] ?? 0],
  ["ulps.3", ({ ulps }) => ulps[2] ?? 0],
];

/**
 * A comparison as CSV (RFC 4180): one row in all, one for each kind of module, layer and tensor; `of` says which.
 * Numbers are in full; what is not known is empty.
 */
export function renderDiffCsv({ totals, kinds, layers, tensors }: DifferenceResult): string {
  const place = (kind: string, stack: string | null, layer: number | null) => [
    kind,
    stack ?? "",
    String(layer ?? ""),
  ];
  const row = (of: string, where: readonly string[], counts: DifferenceCounts) => [
    of,
    ...where,
    ...columns.map(([, numberOf]) => String(numberOf(counts) ?? "")),
  ];
  const nowhere = ["", "", ""];
  return csv([
    ["of", "tensor", "shape", "compared", "kind", "stack", "layer", ...columns.map(([name]) => name)],
    row("all", [...nowhere, ...place("", null, null)], totals),
    ...kinds.map((of) => row("kind", [...nowhere, ...place(of.kind, null, null)], of)),
    ...layers.map((of) => row("layer", [...nowhere, ...place("", of.stack, of.layer)], of)),
    ...tensors.map((of) =>
      row(
        "tensor",
        [of.name, of.shape.join("x"), of.formats.compared, ...place(of.kind, of.stack, of.layer)],
        of,
      ),
    ),
  ]);
}
