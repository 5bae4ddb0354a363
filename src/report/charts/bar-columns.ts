import type { Percent } from "../numbers.js";
import type { Size } from "./figure.js";
import type { Palette } from "./palette.js";
import { rowLayout } from "./rows.js";
import { line, rect, text } from "./svg.js";

/** A column of bars: its name, the whole of its shares, and a share for each row. */
export interface BarColumn {
  readonly name: string;
  readonly about: string;
  readonly shares: readonly (number | null)[];
  /** The share that fills the column. */
  readonly most: number;
  /** Whether it is the main column of the figure. */
  readonly strong: boolean;
}

/** The space above the rows. */
export const aboveBars = 84;

/** Draws rows of bars in columns side by side. */
export function drawBars(
  labels: readonly string[],
  columns: readonly BarColumn[],
  percent: Percent,
  { width, height }: Size,
  inks: Palette,
): string {
  const rows = rowLayout(labels, { width, height: height - aboveBars }, { tallest: 104 });
  const { left, step, font } = rows;
  const gap = 48;
  const span = (width - left - gap * (columns.length - 1)) / columns.length;
  const room = span - 5 * font;
  const bar = Math.min(40, step * 0.52);
  const middle = (row: number) => aboveBars + row * step + step / 2;
  const drawn = labels.map((label, i) => rows.label(label, middle(i) + font * 0.36, inks));
  for (const [c, { name, about, shares, most, strong }] of columns.entries()) {
    const from = left + c * (span + gap);
    drawn.push(
      text(from, 24, name, { size: 25, fill: inks.ink, bold: true }),
      text(from, 54, about, { size: 19, fill: inks.muted }),
      line(from, aboveBars, from, aboveBars + labels.length * step, { colour: inks.line }),
    );
    for (const [i, share] of shares.entries()) {
      const long = ((share ?? 0) / most) * room;
      const fill = strong ? inks.accent : inks.muted;
      if (long > 0) drawn.push(rect(from, middle(i) - bar / 2, Math.max(2, long), bar, fill, 3));
      const style = { size: font, fill: inks.ink };
      drawn.push(text(from + long + 12, middle(i) + font * 0.36, percent(share), style));
    }
  }
  return drawn.join("\n");
}
