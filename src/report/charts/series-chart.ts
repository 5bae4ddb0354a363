import type { SeriesResult } from "../../lens/difference/series.js";
import { percent } from "../numbers.js";
import { seriesTable } from "../series.js";
import { type Figure, wide } from "./figure.js";
import { drawLines } from "./line-chart.js";

/** The unchanged share per step, and since the start. */
export function seriesChart(result: SeriesResult): Figure {
  const { steps } = result;
  const last = steps[steps.length - 1].sinceStart.totals.apparentSparsity;
  const series = [
    {
      label: "in the step",
      values: steps.map(({ change }) => change.totals.apparentSparsity),
      ink: 0,
    },
    {
      label: "since the start",
      values: steps.map(({ sinceStart }) => sinceStart.totals.apparentSparsity),
      ink: 1,
    },
  ];
  return {
    name: "series",
    title: `${percent(last)} of the weights are unchanged since the start`,
    caption: "Weights that are the same number as in the checkpoint before, and as in the first.",
    size: { width: wide, height: 560 },
    draw: (size, inks) =>
      drawLines({ steps: steps.map((_, i) => i + 1), series, format: percent, scale: "linear" }, size, inks),
    numbers: seriesTable(result),
  };
}
