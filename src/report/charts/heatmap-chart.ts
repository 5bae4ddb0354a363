import { printable } from "../../lens/printable.js";
import { type ModuleGrid, moduleGrids, type TensorPart } from "../module-grid.js";
import { counted, missing, percentWithin } from "../numbers.js";
import { type Figure, figureName, type Size, wide } from "./figure.js";
import { heatSteps, type Palette } from "./palette.js";
import { labelled } from "./scale.js";
import { rect, text, textWidth } from "./svg.js";

/** The maximum number of stacks drawn: a model has one or two, a hostile file any number. */
const mostStacks = 4;

/** A heat map for each of the largest stacks of layers. */
export function layerCharts(parts: readonly TensorPart[], label: string | null, sampled = false): Figure[] {
  return moduleGrids(parts, sampled)
    .slice(0, mostStacks)
    .map((grid) => heatmapChart(grid, label))
    .map((figure, i) => (i === 0 ? figure : { ...figure, name: `${figure.name}-${i + 1}` }));
}

/** The unchanged share of a stack's weights, layer by module. `subject` names the case, for example. */
export function heatmapChart(grid: ModuleGrid, subject: string | null): Figure {
  const { stack, layers, kinds, shares, halfWidth, suppressed } = grid;
  const said = (share: number | null) => (share === null ? missing : percentWithin(share, halfWidth));
  const known = shares.flat().filter((share) => share !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return {
    name: figureName("layers", `${subject ?? ""} ${stack}`),
    title:
      (subject === null ? "" : `${subject}: `) +
      (known.length === 0
        ? suppressed > 0
          ? "too few weights of a layer were drawn to tell its modules apart"
          : "no weight of a layer is finite"
        : `${said(least)} to ${said(most)} unchanged, by layer and module`),
    caption:
      `Unchanged weights of ${printable(stack, 60)}: a column for each layer, a row for each kind of module.` +
      (suppressed > 0
        ? ` A sample: ${counted(suppressed, "cell")} left empty, where the 95% interval does not carry whole percents.`
        : ""),
    size: { width: wide, height: 44 + kinds.length * 46 + 112 },
    draw: (size, inks) => draw(grid, rangeOf(known, halfWidth), size, inks),
    numbers: {
      headings: ["layer", ...kinds],
      rows: layers.map((layer, column) => [
        String(layer),
        ...kinds.map((_, row) => said(shares[row][column])),
      ]),
    },
  };
}

/**
 * The range of the shades: round hundredths around the shares, so that differences between high shares are visible, but
 * no shade narrower than the uncertainty of a share.
 */
function rangeOf(shares: readonly number[], halfWidth: number): readonly [number, number] {
  if (shares.length === 0) return [0, 1];
  const spread = Math.max(...shares) - Math.min(...shares);
  const grain = spread > 0.2 ? 0.1 : spread > 0.04 ? 0.02 : 0.005;
  const low = Math.floor(Math.min(...shares) / grain + 1e-9) * grain;
  const high = Math.max(low + grain, Math.ceil(Math.max(...shares) / grain - 1e-9) * grain);
  const least = Math.ceil(100 * heatSteps * 2 * halfWidth) / 100;
  if (high - low >= least) return [low, high];
  return high - least >= 0 ? [high - least, high] : [0, least];
}

function draw(
  { layers, kinds, shares, halfWidth }: ModuleGrid,
  [low, high]: readonly [number, number],
  { width, height }: Size,
  inks: Palette,
): string {
  const font = 22;
  const left =
    Math.max(...kinds.map((kind) => textWidth(kind, font, true)), textWidth("layer", 20)) * 1.06 + 24;
  const [top, below] = [6, 112];
  const step = Math.min(220, (width - left) / layers.length);
  const tall = Math.min(72, (height - top - below) / kinds.length);
  const gap = step > 24 ? 3 : 1;
  const inCells = step >= textWidth("100.0", 19) + 14 && tall >= 26;
  const stepOf = (share: number) =>
    Math.min(heatSteps - 1, Math.floor(((share - low) / (high - low)) * heatSteps));
  const drawn = kinds.flatMap((kind, row) => {
    const y = top + row * tall;
    const middle = y + tall / 2 + font * 0.36;
    const cells = layers.flatMap((_, column) => {
      const share = shares[row][column];
      if (share === null) return [];
      const shade = stepOf(share);
      const x = left + column * step;
      const cell = rect(x, y, step - gap, tall - gap, inks.heat[shade], gap === 3 ? 3 : 0);
      if (!inCells) return [cell];
      const said = percentWithin(share, halfWidth).replace("%", "");
      const style = { size: 19, fill: inks.onHeat[shade], anchor: "middle" } as const;
      return [cell, text(x + (step - gap) / 2, y + (tall - gap) / 2 + 7, said, style)];
    });
    const name = text(left - 18, middle, kind, { size: font, fill: inks.ink, anchor: "end", bold: true });
    return [name, ...cells];
  });
  const bottom = top + kinds.length * tall;
  for (const column of labelled(layers.length, Math.max(1, Math.floor((width - left) / 52)))) {
    const x = left + column * step + (step - gap) / 2;
    drawn.push(
      text(x, bottom + 26, String(layers[column]), { size: 20, fill: inks.muted, anchor: "middle" }),
    );
  }
  drawn.push(text(left - 18, bottom + 26, "layer", { size: 20, fill: inks.muted, anchor: "end" }));
  return [...drawn, ...shadeKey(left, bottom + 56, [low, high], inks)].join("\n");
}

/** The key of shades in ascending order. */
function shadeKey(left: number, y: number, [low, high]: readonly [number, number], inks: Palette): string[] {
  const font = 20;
  const digits = high - low < 0.02 ? 1 : 0;
  const from = `${(100 * low).toFixed(digits)}%`;
  const to = `${(100 * high).toFixed(digits)}% unchanged`;
  const begin = left + textWidth(from, font) + 14;
  return [
    text(left, y + 18, from, { size: font, fill: inks.muted }),
    ...inks.heat.map((fill, i) => rect(begin + i * 40, y, 38, 24, fill, 3)),
    text(begin + heatSteps * 40 + 12, y + 18, to, { size: font, fill: inks.muted }),
  ];
}
