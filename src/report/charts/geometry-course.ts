import type { Geometry } from "../../lens/geometry-result.js";
import { figure as shown, times } from "../geometry.js";
import { count, missing } from "../numbers.js";
import { type Figure, half } from "./figure.js";
import { drawLines, type Series } from "./line-chart.js";

/** Curves of a recorded run: the stable rank of the change, that with random signs, and the coherence. */
export function courseFigures({ curve = [] }: Geometry): Figure[] {
  if (curve.length < 2) return [];
  const last = curve[curve.length - 1];
  const { stableRank, size } = last.totals.measures;
  const measures = curve.map(({ totals }) => totals.measures);
  const ranks: Series[] = [
    { label: "measured", values: measures.map((stepMeasures) => stepMeasures.stableRank.measured), ink: 0 },
    {
      label: "random signs",
      values: measures.map((stepMeasures) => stepMeasures.stableRank.expected),
      ink: null,
    },
  ];
  const coherence: Series[] = [
    { label: "measured", values: measures.map((stepMeasures) => stepMeasures.size.ratio), ink: 0 },
    {
      label: "noise walk",
      values: measures.map((stepMeasures) => (stepMeasures.size.ratio === null ? null : 1)),
      ink: null,
    },
  ];
  const after = `after ${last.updates} updates`;
  return [
    ...(stableRank.ratio === null
      ? []
      : [
          course(curve, ranks, rankText, {
            name: "geometry-rank-course",
            title: `Stable rank ${rankText(stableRank.measured)} ${after}, where random signs give ${rankText(stableRank.expected)}`,
            caption:
              "Mean stable rank of the change since the base, and that of the same sizes with random signs (dashed), by updates.",
          }),
        ]),
    ...(size.ratio === null
      ? []
      : [
          course(curve, coherence, times, {
            name: "geometry-coherence",
            title: `${times(size.ratio)} times as far as a noise walk ${after}`,
            caption:
              "Coherence: the size of the change over that of a noise walk of the same rates and steps (dashed), by updates.",
          }),
        ]),
  ];
}

const rankText = (x: number | null) => shown("stableRank", x);

function course(
  curve: NonNullable<Geometry["curve"]>,
  series: readonly Series[],
  format: (x: number | null) => string,
  words: Pick<Figure, "name" | "title" | "caption">,
): Figure {
  const steps = curve.map(({ updates }) => updates);
  // Logarithmic, because milestones are denser at the start of a run.
  const at = steps.map((n) => Math.log2(n));
  return {
    ...words,
    size: { width: half, height: 420 },
    draw: (size, inks) =>
      drawLines({ steps, at, axis: "updates", series, format, scale: "linear" }, size, inks),
    numbers: {
      headings: ["updates", ...series.map(({ label }) => label)],
      rows: steps.map((n, i) => [
        count(n),
        ...series.map(({ values }) => (values[i] === null ? missing : format(values[i]))),
      ]),
    },
  };
}
