import type { Size } from "./figure.js";
import type { Palette } from "./palette.js";
import { fitted, text, textWidth } from "./svg.js";

/** The total height of rows in a page: rows are lower if there are many, but stay readable. */
export function rowsHeight(rows: number, tall: number): number {
  return rows * (rows > 6 ? tall * 0.7 : tall);
}

/** The rows of a picture: names at the left, and the space next to them. */
export interface RowLayout {
  readonly left: number;
  readonly width: number;
  /** The distance between rows. */
  readonly step: number;
  readonly font: number;
  /** Draws the name of a row with its baseline at y. */
  readonly label: (name: string, y: number, inks: Palette) => string;
}

/**
 * One row per name in the height, none higher than `tallest`; text shrinks with them.
 *
 * @param lines the number of text lines per row.
 */
export function rowLayout(
  names: readonly string[],
  { width, height }: Size,
  { tallest = 150, lines = 1 } = {},
): RowLayout {
  const step = Math.min(tallest, height / names.length);
  const font = Math.max(11, Math.min(30, (step * 0.54) / Math.max(1.3, lines)));
  const widest = Math.max(...names.map((name) => textWidth(name, font, true)));
  const left = Math.min(width * 0.3, widest * 1.06 + 28);
  return {
    left,
    width: width - left,
    step,
    font,
    label: (name, y, inks) =>
      text(left - 24, y, fitted(name, font * 1.04, left - 24), {
        size: font,
        fill: inks.ink,
        anchor: "end",
        bold: true,
      }),
  };
}

/** Widths in proportion, none too narrow to be visible; the widest gives up the space. */
export function visibleSpans(shares: readonly number[], width: number): number[] {
  const spans = shares.map((share) => Math.max(5, share * width));
  const excess = spans.reduce((sum, span) => sum + span, 0) - width;
  const widest = spans.indexOf(Math.max(...spans));
  return spans.map((span, i) => (i === widest ? span - excess : span));
}
