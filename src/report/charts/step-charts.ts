import type { Case, CurvePoint } from "../../lens/run/case.js";
import { curveOf } from "../curve.js";
import { caseLabels } from "../labels.js";
import { missing, type Percent, share } from "../numbers.js";
import { type Figure, half } from "./figure.js";
import { drawLines, type LineChart, type Series } from "./line-chart.js";

/** How shares and ratios are formatted: with fewer digits for a sample, also next to the lines. */
export interface RunDigits {
  readonly percent: Percent;
  readonly ratio: Percent;
  readonly sampled: boolean;
}

/** The curves of a run by step; none for a run of one step. */
export function stepCharts(cases: readonly Case[], digits: RunDigits): Figure[] {
  const charts = [changedChart(cases, digits)];
  if (cases.some((caseResult) => curveOf(caseResult).length > 1)) {
    charts.push(unchangedChart(cases, digits), hiddenChart(cases, digits));
    charts.push(descentChart(cases, "so far", digits));
  } else {
    charts.push(descentChart(cases, "per step", digits));
  }
  return charts.filter(({ numbers }) => numbers.rows.length > 1);
}

const size = { width: half, height: 440 };

function changedChart(cases: readonly Case[], { percent, sampled }: RunDigits): Figure {
  const steps = cases[0].steps.map(({ step }) => step);
  const labels = caseLabels(cases);
  const series: Series[] = [
    ...cases.map((caseResult, i) => ({
      label: labels[i],
      values: caseResult.steps.map(({ apparentSparsity }) =>
        apparentSparsity === null ? null : 1 - apparentSparsity,
      ),
      ink: i,
    })),
    {
      label: "not zero",
      values: cases[0].steps.map(({ realSparsity }) => (realSparsity === null ? null : 1 - realSparsity)),
      ink: null,
    },
  ];
  const last = series[0].values.findLast((value) => value !== null) ?? null;
  const nonzero = series.at(-1)!.values.findLast((value) => value !== null) ?? null;
  return lineFigure(
    "changed-per-step",
    `${labels[0]}: the last step updates ${percent(nonzero)} of the weights, and changes ${percent(last)}`,
    "Weights whose stored bits change in each step. Dashed and grey: those with an update that is not zero.",
    { steps, series, format: axisPercent, scale: "log" },
    percent,
    sampled,
  );
}

function unchangedChart(cases: readonly Case[], { percent, sampled }: RunDigits): Figure {
  const curves = cases.map(curveOf);
  const first = curves.findIndex((curve) => curve.length > 0);
  const labels = caseLabels(cases);
  const series: Series[] = [
    ...curveSeries(cases, (point) => share(point.unchanged, point.elements - point.nonfinite)),
    {
      label: "in fp32 too",
      values: curves[first].map((point) =>
        share(point.unchanged - point.hidden, point.elements - point.nonfinite),
      ),
      ink: null,
    },
  ];
  const [unchanged, real] = [series[0], series.at(-1)!].map(({ values }) => values.at(-1) ?? null);
  return lineFigure(
    "unchanged-so-far",
    `${labels[first]}: ${percent(unchanged)} of the weights still look unchanged, ${percent(real)} are`,
    "Weights whose bits are what they were at the start. Dashed and grey: those of the first line that fp32 would not have " +
      "changed either. Between the two: hidden.",
    {
      steps: curves[first].map(({ step }) => step),
      series,
      band: { from: 0, to: series.length - 1, label: "hidden" },
      format: axisPercent,
      scale: "linear",
    },
    percent,
    sampled,
  );
}

function hiddenChart(cases: readonly Case[], { percent, sampled }: RunDigits): Figure {
  const curves = cases.map(curveOf);
  const first = curves.findIndex((curve) => curve.length > 0);
  const series = curveSeries(cases, (point) => share(point.hidden, point.elements - point.nonfinite));
  return lineFigure(
    "hidden-so-far",
    `${caseLabels(cases)[first]}: ${percent(series[0].values.at(-1) ?? null)} of the weights are hidden at the end`,
    "Weights that look unchanged, though the same updates, added in fp32, would have changed them.",
    { steps: curves[first].map(({ step }) => step), series, format: axisPercent, scale: "linear" },
    percent,
    sampled,
  );
}

/** Of the run so far if the result has it, else of each step. */
function descentChart(
  cases: readonly Case[],
  over: "so far" | "per step",
  { ratio, sampled }: RunDigits,
): Figure {
  const soFar = over === "so far";
  const labels = caseLabels(cases);
  const steps = soFar
    ? curveOf(cases.find((caseResult) => curveOf(caseResult).length > 0)!).map(({ step }) => step)
    : cases[0].steps.map(({ step }) => step);
  const series: Series[] = [
    ...(soFar
      ? curveSeries(cases, ({ visible }) => visible)
      : cases.map((caseResult, i) => ({
          label: labels[i],
          values: caseResult.steps.map(({ effectiveDescent }) => effectiveDescent),
          ink: i,
        }))),
    { label: "fp32", values: steps.map(() => 1), ink: null },
  ];
  const last = series[0].values.findLast((value) => value !== null) ?? null;
  return lineFigure(
    soFar ? "descent-so-far" : "descent-per-step",
    soFar
      ? `${series[0].label}: at the end the stored bits show ${ratio(last)} of the fp32 displacement`
      : `${series[0].label}: the effective descent of the last step is ${ratio(last)}`,
    soFar
      ? "The share of the fp32 displacement that the stored bits show (visible); a master or compensation buffer may hold the rest."
      : "How much of each step's updates the stored weights took along their direction: 1 is all of it.",
    { steps, series, format: axisRatio, scale: "linear" },
    ratio,
    sampled,
  );
}

/** One line per case that has a curve. */
function curveSeries(cases: readonly Case[], numberOf: (point: CurvePoint) => number | null): Series[] {
  const labels = caseLabels(cases);
  return cases.flatMap((caseResult, i) => {
    const values = curveOf(caseResult).map(numberOf);
    return values.length === 0 ? [] : [{ label: labels[i], values, ink: i }];
  });
}

function lineFigure(
  name: string,
  title: string,
  caption: string,
  chart: LineChart,
  shown: Percent,
  sampled: boolean,
): Figure {
  const drawn: LineChart = sampled ? { ...chart, last: shown } : chart;
  return {
    name,
    title,
    caption,
    size,
    draw: (area, inks) => drawLines(drawn, area, inks),
    numbers: {
      headings: ["step", ...chart.series.map(({ label }) => label)],
      rows: chart.steps.map((step, i) => [
        String(step),
        ...chart.series.map(({ values }) => (values[i] === undefined ? missing : shown(values[i]))),
      ]),
    },
  };
}

/** A share as the label of an axis or a line, with as few digits as needed. */
function axisPercent(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.01) return `${Number((100 * value).toPrecision(1))}%`;
  return `${Number((100 * value).toFixed(1))}%`;
}

function axisRatio(value: number): string {
  return Number(value.toPrecision(2)).toString();
}
