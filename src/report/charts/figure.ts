import { type Palette, palettes, type Theme } from "./palette.js";
import { at, escapeXml, fitted, lines, text, textWidth } from "./svg.js";

/** A picture with its words and its numbers: on a slide, inside a page, or read aloud. */
export interface Figure {
  /** Of its file, and of its elements in a page: letters, digits and hyphens. */
  readonly name: string;
  /** What there is to see, as a sentence. */
  readonly title: string;
  /** What is drawn and how to read it. */
  readonly caption: string;
  /** Its size inside a page, in the units of `draw`. */
  readonly size: Size;
  /** The picture without its words, in this size. */
  readonly draw: (size: Size, inks: Palette) => string;
  /** The same as a table. */
  readonly numbers: NumberTable;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Cells as they are shown; the first column names the row. */
export interface NumberTable {
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Of a picture over the whole width of a page, and of one over half of it. */
export const wide = 1456;
export const half = 780;

const slide = { width: 1600, height: 900, margin: 72 };

const fonts = "Inter, 'Segoe UI', system-ui, Roboto, 'Helvetica Neue', Arial, sans-serif";

/** A figure as a file of its own, at the size of a slide, with its title and what the numbers are of. */
export function slideOf(figure: Figure, theme: Theme, source: string): string {
  const inks = palettes[theme];
  const { width, height, margin } = slide;
  const room = width - 2 * margin;
  // A title that all but fits its line is set a little smaller, not broken.
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

/** A figure inside a page that has its title and caption as text, in colours that the page gives. */
export function inlineOf(figure: Figure, inks: Palette): string {
  return `${open(figure, figure.size, 'font-family="inherit"')}${figure.draw(figure.size, inks)}</svg>`;
}

/** The start of the element, with what a screen reader reads. */
function open({ name, title, caption, numbers }: Figure, { width, height }: Size, style: string): string {
  const box = `viewBox="0 0 ${at(width)} ${at(height)}" width="${at(width)}" height="${at(height)}"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" ${box} role="img" aria-labelledby="${name}-title ${name}-desc" ${style}>` +
    `<title id="${name}-title">${escapeXml(title)}</title>` +
    `<desc id="${name}-desc">${escapeXml(`${caption} ${inWords(numbers)}`)}</desc>\n`
  );
}

/** A table as text; of a long one the first rows and the last. A reader who wants all has the table itself. */
function inWords({ headings, rows }: NumberTable): string {
  const said = rows
    .slice(0, 6)
    .map(
      ([name, ...cells]) => `${name}: ${cells.map((cell, i) => `${headings[i + 1]} ${cell}`).join(", ")}.`,
    );
  return said.join(" ") + (rows.length > 6 ? ` And ${rows.length - 6} more.` : "");
}

/** The name of a figure from what it is and what it is of: lower-case letters, digits and single hyphens. */
export function figureName(what: string, subject: string): string {
  return `${what}-${subject}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 60)
    .replace(/^-|-$/g, "");
}
