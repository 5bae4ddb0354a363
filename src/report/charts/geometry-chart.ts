import type { Geometry, MeasureName, Profile, TensorGeometry } from "../../lens/geometry-result.js";
import { printable } from "../../lens/printable.js";
import { columnMeasures, measureLabel, times } from "../geometry.js";
import { percent } from "../numbers.js";
import { type Figure, half, type Size, wide } from "./figure.js";
import { courseFigures } from "./geometry-course.js";
import { drawLines } from "./line-chart.js";
import { heatSteps, type Palette } from "./palette.js";
import { labelled } from "./scale.js";
import { rect, text, textWidth } from "./svg.js";

/** The maximum number of columns of the strip; deeper stacks are sampled evenly. */
const mostColumns = 48;

/** The figures of a geometry: ratios by layer, curves of a recorded run, changes by row and column of a matrix. */
export function geometryFigures(geometry: Geometry): Figure[] {
  const strip = layerStrip(geometry);
  const striped = stripedTensor(geometry);
  return [
    ...(strip ? [strip] : []),
    ...courseFigures(geometry),
    ...(striped ? [profileChart("rows", striped), profileChart("columns", striped)] : []),
  ];
}

/** Ratios to the expected values: one column per layer, one row per measure. */
function layerStrip({ layers, totals }: Geometry): Figure | null {
  const shown = labelled(layers.length, mostColumns).map((i) => layers[i]);
  const rows = columnMeasures.filter((name) => shown.some(({ measures }) => measures[name].ratio !== null));
  if (shown.length === 0 || rows.length === 0) return null;
  const ratios = rows.map((name) => shown.map(({ measures }) => measures[name].ratio));
  const labels = shown.map(({ layer }) => String(layer));
  return {
    name: "geometry-layers",
    title: stripTitle(totals),
    caption:
      "Measured over expected, by layer: 1 is expected if only sizes matter. Empty: no spectrum was computed.",
    size: { width: wide, height: rows.length * 44 + 110 },
    draw: (size, inks) => drawStrip(rows, labels, ratios, size, inks),
    numbers: {
      headings: ["measure", ...labels.map((layer) => `layer ${layer}`)],
      rows: rows.map((name, row) => [measureLabel(name), ...ratios[row].map(times)]),
    },
  };
}

/** The title, from the ratios used by the sentence of a geometry. */
function stripTitle({ measures: { stableRank, energy16, principalOverlap } }: Geometry["totals"]): string {
  if (stableRank.ratio === null) return "Spread over rows and columns relative to expected, by layer";
  const energy = energy16.ratio === null ? "" : `, energy in the top 16 ${times(energy16.ratio)}`;
  return `Stable rank ${times(stableRank.ratio)}${energy}, principal mask ${times(principalOverlap.ratio)} times what sizes give`;
}

/** The number of powers of two with separate shades on either side of 1. */
const octaves = 3;

/** The shade of a ratio: the middle one for 1, the last one for 8 and more. */
function shadeOf(ratio: number): number {
  const octave = Math.max(-octaves, Math.min(octaves, Math.log2(Math.max(ratio, 1e-9))));
  return Math.min(heatSteps - 1, Math.floor(((octave + octaves) / (2 * octaves)) * heatSteps));
}

function drawStrip(
  rows: readonly MeasureName[],
  labels: readonly string[],
  ratios: readonly (readonly (number | null)[])[],
  { width, height }: Size,
  inks: Palette,
): string {
  const font = 21;
  const left = Math.max(...rows.map((name) => textWidth(measureLabel(name), font))) * 1.06 + 24;
  const step = Math.min(160, (width - left) / labels.length);
  const below = 104;
  const tall = Math.min(64, (height - below) / rows.length);
  const gap = step > 24 ? 3 : 1;
  const drawn = rows.flatMap((name, row) => {
    const middle = row * tall + tall / 2 + font * 0.36;
    const cells = ratios[row].flatMap((ratio, column) => {
      if (ratio === null) return [];
      const shade = shadeOf(ratio);
      const x = left + column * step;
      const cell = rect(x, row * tall, step - gap, tall - gap, inks.heat[shade], gap === 3 ? 3 : 0);
      const said = times(ratio);
      if (textWidth(said, 19) + 12 > step) return [cell];
      const style = { size: 19, fill: inks.onHeat[shade], anchor: "middle" } as const;
      return [cell, text(x + (step - gap) / 2, middle, said, style)];
    });
    return [
      text(left - 18, middle, measureLabel(name), { size: font, fill: inks.ink, anchor: "end" }),
      ...cells,
    ];
  });
  const bottom = rows.length * tall;
  for (const column of labelled(labels.length, Math.max(1, Math.floor((width - left) / 52)))) {
    const x = left + column * step + (step - gap) / 2;
    drawn.push(text(x, bottom + 26, labels[column], { size: 20, fill: inks.muted, anchor: "middle" }));
  }
  drawn.push(text(left - 18, bottom + 26, "layer", { size: 20, fill: inks.muted, anchor: "end" }));
  const least = `1/${2 ** octaves} of what is expected and less`;
  const begin = left + textWidth(least, 20) * 1.04 + 14;
  drawn.push(text(left, bottom + 74, least, { size: 20, fill: inks.muted }));
  drawn.push(...inks.heat.map((fill, i) => rect(begin + i * 40, bottom + 56, 38, 24, fill, 3)));
  const most = `${2 ** octaves} times and more`;
  drawn.push(text(begin + heatSteps * 40 + 12, bottom + 74, most, { size: 20, fill: inks.muted }));
  return drawn.join("\n");
}

/** The matrix whose spread over rows or columns most exceeds the one expected from its sizes. */
function stripedTensor({ tensors }: Geometry): (TensorGeometry & { profiles: object }) | null {
  const spread = ({ measures }: TensorGeometry) =>
    Math.max(measures.rowSpread.ratio ?? 0, measures.columnSpread.ratio ?? 0);
  const known = tensors.filter(
    (tensor): tensor is TensorGeometry & { profiles: object } =>
      tensor.profiles !== null && spread(tensor) > 0,
  );
  // Rows of an embedding are tokens, some of which do not occur.
  const inLayers = known.filter(({ stack }) => stack !== null);
  const looked = inLayers.length > 0 ? inLayers : known;
  return looked.length === 0 ? null : looked.reduce((a, b) => (spread(b) > spread(a) ? b : a));
}

function profileChart(side: "rows" | "columns", tensor: TensorGeometry): Figure {
  const { measured, expected }: Profile = tensor.profiles![side];
  const { ratio } = tensor.measures[side === "rows" ? "rowSpread" : "columnSpread"];
  const length = tensor.shape[side === "rows" ? 0 : 1];
  const steps = measured.map((_, i) => Math.round((i * length) / measured.length));
  return {
    name: `geometry-${side}`,
    title: `The ${side} of ${printable(tensor.name, 60)}: spread ${times(ratio)} times that expected from sizes`,
    caption: `Share of the weights that changed, by ${side} (means over neighbours), and what it would be by size alone.`,
    size: { width: half, height: 420 },
    draw: (size, inks) =>
      drawLines(
        {
          steps,
          axis: side === "rows" ? "row" : "column",
          series: [
            { label: "changed", values: measured, ink: 0 },
            { label: "by size", values: expected, ink: null },
          ],
          format: percent,
          scale: "linear",
        },
        size,
        inks,
      ),
    numbers: {
      headings: [side === "rows" ? "from row" : "from column", "changed", "by size alone"],
      rows: steps.map((step, i) => [String(step), percent(measured[i]), percent(expected[i])]),
    },
  };
}
