import type { SweepCell, SweepResult } from "../lens/study/sweep.js";
import { csvOf, fields } from "./csv-text.js";

/** One row per case and rate. */
export function renderSweepCsv({ cells }: SweepResult): string {
  const totalsOf = ({ totals }: SweepCell) => totals;
  const endOf = ({ end }: SweepCell) => end;
  return csvOf(cells, [
    ...fields(["rate", "format", "scheme", "rounding", "opmath"], (cell: SweepCell) => cell),
    ...fields(["elements", "steps", "none", "lost", "kept", "moved", "nonfinite"], totalsOf),
    ...fields(["realSparsity", "apparentSparsity", "hiddenShare"], totalsOf),
    ["stepEffectiveDescent", ({ totals }) => totals.effectiveDescent],
    ...fields(["unchanged", "hidden", "visible", "retained"], endOf),
    ["standardError", ({ standardError }) => standardError],
    ...fields(["noise", "noiseToWeight"], endOf),
    ["collateral", ({ totals }) => totals.collateral],
    ["through", ({ through }) => through],
  ]);
}
