import type { SweepResult } from "../lens/study/sweep.js";
import { csv } from "./csv.js";

const heading = [
  "rate",
  "format",
  "scheme",
  "rounding",
  "opmath",
  "elements",
  "steps",
  "none",
  "lost",
  "kept",
  "moved",
  "nonfinite",
  "realSparsity",
  "apparentSparsity",
  "hiddenShare",
  "stepEffectiveDescent",
  "unchanged",
  "hidden",
  "visible",
  "retained",
  "standardError",
  "noise",
  "noiseToWeight",
  "collateral",
  "through",
];

/** One row a case and rate. */
export function renderSweepCsv({ cells }: SweepResult): string {
  const rows = cells.map(({ rate, totals, end, standardError, ...sweepCase }) => [
    ...[
      rate,
      sweepCase.format,
      sweepCase.scheme,
      sweepCase.rounding,
      sweepCase.opmath,
      totals.elements,
      totals.steps,
    ],
    ...[totals.none, totals.lost, totals.kept, totals.moved, totals.nonfinite],
    ...[totals.realSparsity, totals.apparentSparsity, totals.hiddenShare, totals.effectiveDescent],
    ...[end.unchanged, end.hidden, end.visible, end.retained, standardError, end.noise, end.noiseToWeight],
    ...[totals.collateral, sweepCase.through ?? null],
  ]);
  return csv([heading, ...rows.map((cells) => cells.map((cell) => (cell === null ? "" : String(cell))))]);
}
