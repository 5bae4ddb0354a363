import { createColors } from "picocolors";

/** The capabilities of the terminal. */
export interface Terminal {
  readonly columns: number;
  readonly colour: boolean;
  readonly unicode: boolean;
}

/** For files and pipes: 80 columns, no colour, Unicode. */
export const plainTerminal: Terminal = { columns: 80, colour: false, unicode: true };

export function styles({ colour }: Terminal) {
  return createColors(colour);
}

/** One part of a stacked bar. */
export interface BarPart {
  readonly share: number;
  readonly of: "moved" | "collateral" | "kept" | "lost";
}

const glyphs = {
  unicode: { moved: "█", collateral: "▓", kept: "▒", lost: "░" },
  ascii: { moved: "#", collateral: "%", kept: "+", lost: "." },
} as const;

/** The glyph of a class, in its colour; glyphs differ without colour too. */
export function glyph(className: BarPart["of"], terminal: Terminal, width = 1): string {
  const { green, magenta, yellow, red } = styles(terminal);
  const text = glyphs[terminal.unicode ? "unicode" : "ascii"][className].repeat(width);
  return { moved: green, collateral: magenta, kept: yellow, lost: red }[className](text);
}

const shades = { unicode: " ░▒▓█", ascii: " .:+#" } as const;

/** A glyph for a number from 0 (blank) to 1 (full). */
export function shade(x: number, { unicode }: Terminal): string {
  const glyphs = shades[unicode ? "unicode" : "ascii"];
  return glyphs[Math.round(x * (glyphs.length - 1))];
}

/** The smallest share that always gets a column; shares shown as "<0.1%" do not. */
const visibleShare = 0.0005;

/**
 * A bar of exactly `width` columns whose parts are rounded by largest remainders, with at least one column for small
 * shares.
 */
export function stackedBar(parts: readonly BarPart[], width: number, terminal: Terminal): string {
  return apportion(
    parts.map(({ share }) => share),
    width,
  )
    .map((columns, i) => (columns > 0 ? glyph(parts[i].of, terminal, columns) : ""))
    .join("");
}

function apportion(shares: readonly number[], width: number): number[] {
  const columns = shares.map((share) => Math.max(share < visibleShare ? 0 : 1, Math.floor(share * width)));
  const remainders = () => shares.map((share, i) => share * width - columns[i]);
  for (let used = sum(columns); used > 0 && used !== width; used = sum(columns)) {
    // Too many columns only if small shares got one: the widest part gives up the space.
    if (used < width) columns[indexOfLargest(remainders())] += 1;
    else columns[indexOfLargest(columns)] -= 1;
  }
  return columns;
}

function indexOfLargest(numbers: readonly number[]): number {
  return numbers.indexOf(Math.max(...numbers));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
