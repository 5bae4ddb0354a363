import type { InspectedQuality, Inspection } from "../../lens/inspect/inspection.js";
import { printable } from "../../lens/printable.js";
import { tableOf } from "../blocks/block.js";
import { missing } from "../numbers.js";
import { type Figure, wide } from "./figure.js";
import { drawLines } from "./line-chart.js";

/** The signal-to-quantization-noise ratio; "exact" if rounding changes nothing, of no number that becomes NaN. */
export function decibels({ sqnr, elements, storedNaN = 0 }: InspectedQuality): string {
  if (sqnr === null) return elements === 0 || storedNaN > 0 ? missing : "exact";
  return sqnr.toFixed(1);
}

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
    values: ofStack.map(({ as }) => as![i].sqnr),
    texts: ofStack.map(({ as }) => decibels(as![i])),
    ink: i,
  }));
  // A format that changes no number has no ratio.
  const series = known.filter(({ values }) => values.some((value) => value !== null));
  if (ofStack.length < 2 || series.length === 0) return [];
  const least = series
    .map(({ label, values }) => ({ label, value: Math.min(...values.filter((value) => value !== null)) }))
    .toSorted((a, b) => a.value - b.value)[0];
  return [
    {
      name: "quality",
      title: `Signal to quantization noise is ${least.value.toFixed(1)} dB or more in every layer of ${printable(stack, 60)}`,
      caption: `Numbers of each layer of ${printable(stack, 60)}, stored in other formats; the smallest ratio is of ${least.label}.`,
      size: { width: wide, height: 560 },
      draw: (size, inks) =>
        drawLines(
          {
            steps: ofStack.map(({ layer }) => layer),
            axis: "layer",
            series,
            format: (x) => `${x.toFixed(0)} dB`,
            scale: "linear",
          },
          size,
          inks,
        ),
      numbers: tableOf(ofStack, [
        ["layer", ({ layer }) => String(layer)],
        ...series.map(({ label, texts }) => [label, (_: unknown, row: number) => texts[row]] as const),
      ]),
    },
  ];
}
