import { caseOf, type SweepResult } from "../../lens/sweep.js";
import { caseLabel } from "../labels.js";
import { missing, ratio } from "../numbers.js";
import { descentAt, rateText } from "../sweep-table.js";
import { type Figure, wide } from "./figure.js";
import { drawLines, type Series } from "./line-chart.js";

/** Progress of each case over the rates: where each begins to learn. */
export function sweepChart({ rates, cells, answers, settings }: SweepResult): Figure {
  const cases = cells.filter(({ rate }) => rate === rates[0]).map(caseOf);
  const labels = cases.map((of) => caseLabel(of));
  const progress = cases.map((of) => rates.map((rate) => descentAt(cells, of, rate)));
  const series: Series[] = [
    ...progress.map((values, i) => ({ label: labels[i], values, ink: i })),
    { label: "learns", values: rates.map(() => settings.learns), ink: null },
  ];
  const [first] = answers.learnsFrom;
  const from = first.rate === null ? "learns at none of the rates" : `learns from ${rateText(first.rate)} on`;
  return {
    name: "progress-by-rate",
    title: `${labels[0]} ${from}`,
    caption:
      `How far along an fp32 run's way the stored weights come at each ${settings.rate === "lr" ? "learning rate" : "scale of the recorded updates"}: ` +
      `1 is all of it. Dashed and grey: ${settings.learns}, from which on a case learns.`,
    size: { width: wide, height: 440 + 26 * Math.max(0, series.length - 8) },
    draw: (size, inks) =>
      drawLines(
        {
          steps: rates.map(rateText),
          axis: settings.rate === "lr" ? "learning rate" : "scale",
          series,
          format: (value) => Number(value.toPrecision(2)).toString(),
          scale: "linear",
        },
        size,
        inks,
      ),
    numbers: {
      headings: ["stored as", "bits a weight", "learns from", ...rates.map(rateText)],
      rows: labels.map((label, i) => [
        label,
        String(answers.learnsFrom[i].bitsPerWeight),
        answers.learnsFrom[i].rate === null ? missing : rateText(answers.learnsFrom[i].rate),
        ...progress[i].map(ratio),
      ]),
    },
  };
}

export function figuresOfSweep(result: SweepResult): Figure[] {
  return [sweepChart(result)];
}
