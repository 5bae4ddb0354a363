import { type Palette, palettes, type Theme } from "./palette.js";
import { at, escapeXml, fitted, lines, text, textWidth } from "./svg.js";

/** A picture with its text and numbers, for a slide, a page or a screen reader. */
export interface Figure {
  /** The name of its file and of its elements in a page: letters, digits and hyphens. */
  readonly name: string;
  /** The finding, as a sentence. */
  readonly title: string;
  /** What is drawn and how to read it. */
  readonly caption: string;
  /** Its size inside a page, in the units of `draw`. */
  readonly size: Size;
  /** Draws the picture without title and caption in this size. */
  readonly draw: (size: Size, inks: Palette) => string;
  /** The same data as a table. */
  readonly numbers: NumberTable;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Formatted cells; the first column names the row. */
export interface NumberTable {
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The widths of a picture over the full and over half the width of a page. */
export const wide = 1456;
export const half = 780;

const slide = { width: 1600, height: 900, margin: 72 };

const fonts = "Inter, 'Segoe UI', system-ui, Roboto, 'Helvetica Neue', Arial, sans-serif";

/** A figure as a separate file, at the size of a slide, with its title and source. */
export function slideOf(figure: Figure, theme: Theme, source: string): string {
  const inks = palettes[theme];
  const { width, height, margin } = slide;
  const room = width - 2 * margin;
  // A title slightly longer than its line is set smaller instead of broken.
  const size =
    textWidth(figure.title, 38, true) <= room
      ? Math.min(44, (44 * room) / textWidth(figure.title, 44, true))
      : 40;
  const heading = lines(figure.title, size * 0.999, room, true).slice(0, 2);
  const caption = lines(figure.caption, 25, room).slice(0, 2);
  const captionTop = 46 + heading.length * 54;
  const top = captionTop + caption.length * 34 + 44;
  const parts = [
    ...heading.map((line, i) => text(margin, 92 + i * 54, line, { size, fill: inks.ink, bold: true })),
    ...caption.map((line, i) => text(margin, captionTop + 38 + i * 34, line, { size: 25, fill: inks.muted })),
    `<g transform="translate(${margin} ${at(top)})">`,
    figure.draw({ width: room, height: height - 78 - top }, inks),
    "</g>",
    text(margin, height - 32, fitted(source, 19, room), { size: 19, fill: inks.muted }),
  ];
  const style = `font-family="${fonts}" style="background:${inks.surface}"`;
  const ground = `<rect width="${width}" height="${height}" fill="${inks.surface}"/>`;
  return `${open(figure, { width, height }, style)}${ground}${parts.join("\n")}</svg>\n`;
}

/** A figure inside a page, which shows its title and caption as text and defines its colours. */
export function inlineOf(figure: Figure, inks: Palette): string {
  return `${open(figure, figure.size, 'font-family="inherit"')}${figure.draw(figure.size, inks)}</svg>`;
}

/** The start of the element, with the text for screen readers. */
function open({ name, title, caption, numbers }: Figure, { width, height }: Size, style: string): string {
  const box = `viewBox="0 0 ${at(width)} ${at(height)}" width="${at(width)}" height="${at(height)}"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" ${box} role="img" aria-labelledby="${name}-title ${name}-desc" ${style}>` +
    `<title id="${name}-title">${escapeXml(title)}</title>` +
    `<desc id="${name}-desc">${escapeXml(`${caption} ${inWords(numbers)}`)}</desc>\n`
  );
}

/** A table as text; only the first and last rows of a long one, because the page has the table itself. */
function inWords({ headings, rows }: NumberTable): string {
  const said = rows
    .slice(0, 6)
    .map(
      ([name, ...cells]) => `${name}: ${cells.map((cell, i) => `${headings[i + 1]} ${cell}`).join(", ")}.`,
    );
  return said.join(" ") + (rows.length > 6 ? ` And ${rows.length - 6} more.` : "");
}

/** The name of a figure from its kind and subject: lower-case letters, digits and single hyphens. */
export function figureName(what: string, subject: string): string {
  return `${what}-${subject}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 60)
    .replace(/^-|-$/g, "");
}
