/** Pieces of SVG text. Coordinates have one decimal, so that the same data give the same text everywhere. */

/** Escapes text for an element or an attribute. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}

/** A coordinate with at most one decimal; -0 is 0. */
export function at(x: number): string {
  const rounded = Math.round(x * 10) / 10;
  return String(rounded === 0 ? 0 : rounded);
}

export interface TextStyle {
  readonly size: number;
  readonly fill: string;
  readonly anchor?: "start" | "middle" | "end";
  readonly bold?: boolean;
  /** An outline in this colour, which keeps the text readable over lines. */
  readonly halo?: string;
  /** Rotated by 90 degrees to the left, for the title of a vertical axis. */
  readonly upright?: boolean;
}

/**
 * A line of text whose baseline starts, is centred or ends at (x, y). Its width is that of {@link textWidth} in any
 * font: without Inter, the fallback font may be a sixth wider, and its letters are condensed.
 */
export function text(x: number, y: number, content: string, style: TextStyle): string {
  const { size, fill, anchor = "start", bold = false, halo, upright = false } = style;
  const width = textWidth(content, size, bold);
  const attributes = [
    `x="${at(x)}" y="${at(y)}" font-size="${at(size)}" fill="${fill}"`,
    ...(anchor === "start" ? [] : [`text-anchor="${anchor}"`]),
    ...(bold ? [`font-weight="600"`] : []),
    ...(width > 0 ? [`textLength="${at(width)}" lengthAdjust="spacingAndGlyphs"`] : []),
    ...(halo === undefined
      ? []
      : [`stroke="${halo}" stroke-width="${at(size / 4)}" stroke-linejoin="round" paint-order="stroke"`]),
    ...(upright ? [`transform="rotate(-90 ${at(x)} ${at(y)})"`] : []),
  ];
  return `<text ${attributes.join(" ")}>${escapeXml(content)}</text>`;
}

/** The size of an exponent and its height above the line, relative to the text: Inter has no minus sign as superscript. */
export const raised = { size: 0.7, by: 0.36 };

/** A power of two, like {@link text}. Two texts, because resvg gives the length of a text to its first part alone. */
export function powerOfTwo(x: number, y: number, exponent: number, style: TextStyle): string {
  const { size, bold, anchor = "start" } = style;
  const said = exponentText(exponent);
  const small = raised.size * size;
  const width = textWidth("2", size, bold);
  const before = { start: 0, middle: 0.5, end: 1 }[anchor] * (width + textWidth(said, small, bold));
  return (
    text(x - before, y, "2", { ...style, anchor: "start" }) +
    text(x - before + width, y - raised.by * size, said, { ...style, size: small, anchor: "start" })
  );
}

/** An exponent with a minus sign, which is as wide as a digit. */
export function exponentText(exponent: number): string {
  return String(exponent).replace("-", "−");
}

export function rect(
  x: number,
  y: number,
  width: number,
  height: number,
  fill: string,
  rounding = 0,
  /** The colour of an inner outline two units wide. */
  outline?: string,
): string {
  const rim = outline !== undefined && Math.min(width, height) > 2 ? 1 : 0;
  const rounded = rounding > 0 ? ` rx="${at(rounding)}"` : "";
  const box = `x="${at(x + rim)}" y="${at(y + rim)}" width="${at(width - 2 * rim)}" height="${at(height - 2 * rim)}"`;
  const stroke = rim > 0 ? ` stroke="${outline}" stroke-width="2"` : "";
  return `<rect ${box}${rounded} fill="${outline !== undefined && rim === 0 ? outline : fill}"${stroke}/>`;
}

export interface Stroke {
  readonly colour: string;
  readonly width?: number;
  readonly dashes?: string;
}

export function line(x1: number, y1: number, x2: number, y2: number, stroke: Stroke): string {
  return `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"${strokeOf(stroke)}/>`;
}

export function circle(x: number, y: number, radius: number, fill: string, stroke?: Stroke): string {
  const rim = stroke ? strokeOf(stroke) : "";
  return `<circle cx="${at(x)}" cy="${at(y)}" r="${at(radius)}" fill="${fill}"${rim}/>`;
}

/** A line through points, interrupted at null. */
export function polyline(points: readonly (readonly [number, number] | null)[], stroke: Stroke): string {
  let pen = "M";
  const path: string[] = [];
  for (const point of points) {
    if (point === null) {
      pen = "M";
      continue;
    }
    path.push(`${pen}${at(point[0])} ${at(point[1])}`);
    pen = "L";
  }
  return `<path d="${path.join("")}" fill="none" stroke-linejoin="round" stroke-linecap="round"${strokeOf(stroke)}/>`;
}

/** The area within a closed line. */
export function area(points: readonly (readonly [number, number])[], fill: string, opacity: number): string {
  const path = points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${at(x)} ${at(y)}`).join("");
  return `<path d="${path}Z" fill="${fill}" fill-opacity="${opacity}"/>`;
}

function strokeOf({ colour, width = 2, dashes }: Stroke): string {
  return ` stroke="${colour}" stroke-width="${at(width)}"${dashes ? ` stroke-dasharray="${dashes}"` : ""}`;
}

/** Advance widths of Inter from space to tilde, in hundredths of the font size: src/report/font, regular and bold. */
const advances = {
  regular:
    "28 29 47 63 64 98 65 30 37 37 50 66 29 46 29 36 63 41 61 62 65 60 62 57 62 62 29 30 66 66 66 51 97 69 65 73 72 60 59 75 74 27 57 67 57 91 75 77 64 77 64 64 65 74 69 99 69 68 63 37 36 37 47 46 33 56 61 57 61 58 37 61 59 24 24 55 24 88 59 60 61 61 38 53 33 59 56 82 55 56 55 43 33 43 66"
      .split(" ")
      .map(Number),
  bold: "24 33 54 65 65 101 67 33 38 38 55 68 33 47 33 38 67 43 63 64 67 62 64 58 65 64 33 34 68 68 68 55 101 74 66 74 72 61 59 75 75 28 58 71 57 93 76 77 65 77 65 65 66 73 74 103 73 72 66 38 38 38 48 47 36 58 63 59 63 59 39 63 62 27 27 57 27 91 62 61 63 63 40 55 36 62 59 84 57 60 57 46 37 46 68"
    .split(" ")
    .map(Number),
};

/** Advance widths of other characters: about a letter, or a square for East Asian scripts. */
const advanceBeyond = (code: number) => (code < 0x2e80 ? 70 : 100);

/** The width of a text in Inter and, by its `textLength`, in any fallback font. */
export function textWidth(content: string, size: number, bold = false): number {
  const known = bold ? advances.bold : advances.regular;
  let width = 0;
  for (const character of content) {
    const code = character.codePointAt(0)!;
    width += known[code - 32] ?? advanceBeyond(code);
  }
  return (width * size) / 100;
}

/** Text truncated to a width, with an ellipsis. */
export function fitted(content: string, size: number, width: number): string {
  if (textWidth(content, size) <= width) return content;
  const characters = [...content];
  while (characters.length > 1 && textWidth(`${characters.join("")}…`, size) > width) characters.pop();
  return `${characters.join("").trimEnd()}…`;
}

/** Breaks running text into lines of at most this width. */
export function lines(content: string, size: number, width: number, bold = false): string[] {
  const broken: string[] = [];
  for (const word of content.split(" ")) {
    const longer = broken.length > 0 ? `${broken.at(-1)} ${word}` : word;
    if (broken.length > 0 && textWidth(longer, size, bold) <= width) broken[broken.length - 1] = longer;
    else broken.push(word);
  }
  return broken;
}
