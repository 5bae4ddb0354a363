import type { Heatmap } from "../lens/difference/difference-result.js";
import { printable } from "../lens/printable.js";
import { type Block, lines, tableOf } from "./blocks/block.js";
import { tableLines, textWidth } from "./blocks/terminal.js";
import { wrap } from "./columns.js";
import { missing } from "./numbers.js";
import { shade, styles, type Terminal } from "./terminal.js";

/** The lower bounds of the unchanged shares for each shade of the heat map. */
const shadeSteps = [0, 0.5, 0.8, 0.95, 0.99];

/** The maximum rows of a heat map; deeper stacks are sampled evenly, with first and last layer. */
const mostRows = 24;

/** The unchanged shares of each stack, layer by module, with shades and their key. */
export function heatMaps(heatmaps: readonly Heatmap[]): Block[] {
  const legend = lines((terminal) =>
    wrap(shadeLegend(terminal), textWidth(terminal)).map(styles(terminal).dim),
  );
  return heatmaps.length === 0 ? [] : [...heatmaps.map(heatMap), legend];
}

function heatMap({ stack, layers, kinds, apparentSparsity }: Heatmap): Block {
  const rows = thinned(layers.length, mostRows);
  const notes =
    rows.length < layers.length ? [`(${rows.length} of ${layers.length} layers; --json has all)`] : [];
  return lines((terminal) => {
    const shown = tableOf(rows, [
      [printable(stack, 30), (row) => String(layers[row])],
      ...kinds.map(
        (kind, k) => [kind, (row: number) => shadedCell(apparentSparsity[row][k], terminal)] as const,
      ),
    ]);
    return tableLines({ ...shown, align: "r", notes }, terminal);
  });
}

function shadedCell(unchanged: number | null, terminal: Terminal): string {
  if (unchanged === null) return missing;
  const step = shadeSteps.findLastIndex((least) => unchanged >= least);
  return `${shade(step / (shadeSteps.length - 1), terminal)}${String(Math.floor(100 * unchanged)).padStart(3)}`;
}

function shadeLegend(terminal: Terminal): string {
  const steps = shadeSteps.map((least, i) => {
    const glyph = shade(i / (shadeSteps.length - 1), terminal);
    return `${glyph === " " ? "blank" : glyph} from ${100 * least}`;
  });
  return `% unchanged, rounded down: ${steps.join(", ")}`;
}

function thinned(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (length - 1)) / (most - 1)));
}
