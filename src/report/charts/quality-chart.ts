import type { Inspection } from "../../lens/inspect/inspection.js";
import { printable } from "../../lens/printable.js";
import { tableOf } from "../blocks/block.js";
import { type Figure, wide } from "./figure.js";
import { drawLines } from "./line-chart.js";

/** The signal-to-noise ratio of each tried format by layer, of the stack with the most layers; none for fewer than two. */
export function qualityCharts({ layers, settings }: Inspection): Figure[] {
  const stacks = [...new Set(layers.map(({ stack }) => stack))].map((stack) => ({
    stack,
    ofStack: layers.filter((layer) => layer.stack === stack),
  }));
  const [{ stack, ofStack } = { stack: "", ofStack: [] }] = stacks.toSorted(
    (a, b) => b.ofStack.length - a.ofStack.length,
  );
  const known = settings.as.map((format, i) => ({
    label: printable(format),
    values: ofStack.map(({ as = [] }) => as[i]?.sqnr ?? null),
    ink: i,
  }));
  // A format that changes no number has no ratio.
  const series = known.filter(({ values }) => values.some((value) => value !== null));
  if (ofStack.length < 2 || series.length === 0) return [];
  const decibels = (x: number) => `${x.toFixed(0)} dB`;
  const least = series
    .map(({ label, values }) => ({ label, value: Math.min(...values.filter((value) => value !== null)) }))
    .toSorted((a, b) => a.value - b.value)[0];
  return [
    {
      name: "quality",
      title: `Signal to quantization noise is ${least.value.toFixed(1)} dB or more in every layer`,
      caption: `Numbers of each layer of ${printable(stack, 60)}, stored in other formats; the smallest ratio is of ${least.label}.`,
      size: { width: wide, height: 560 },
      draw: (size, inks) =>
        drawLines(
          {
            steps: ofStack.map(({ layer }) => layer),
            axis: "layer",
            series,
            format: decibels,
            scale: "linear",
          },
          size,
          inks,
        ),
      numbers: tableOf(ofStack, [
        ["layer", ({ layer }) => String(layer)],
        ...series.map(
          ({ label, values }) =>
            [label, (_: unknown, row: number) => values[row]?.toFixed(1) ?? "exact"] as const,
        ),
      ]),
    },
  ];
}
