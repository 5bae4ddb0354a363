/** Pieces of SVG as text. Coordinates have one decimal, so that the same data give the same text everywhere. */

/** Text for an element or an attribute: nothing in it is markup. */
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
  /** A rim in this colour, which keeps the text readable over lines. */
  readonly halo?: string;
  /** Turned a quarter to the left, for the title of an upright axis. */
  readonly upright?: boolean;
}

/** A line of text whose baseline begins, has its middle or ends at (x, y). */
export function text(x: number, y: number, content: string, style: TextStyle): string {
  const { size, fill, anchor = "start", bold = false, halo, upright = false } = style;
  const attributes = [
    `x="${at(x)}" y="${at(y)}" font-size="${at(size)}" fill="${fill}"`,
    ...(anchor === "start" ? [] : [`text-anchor="${anchor}"`]),
    ...(bold ? [`font-weight="600"`] : []),
    ...(halo === undefined
      ? []
      : [`stroke="${halo}" stroke-width="${at(size / 4)}" stroke-linejoin="round" paint-order="stroke"`]),
    ...(upright ? [`transform="rotate(-90 ${at(x)} ${at(y)})"`] : []),
  ];
  return `<text ${attributes.join(" ")}>${escapeXml(content)}</text>`;
}

export function rect(
  x: number,
  y: number,
  width: number,
  height: number,
  fill: string,
  rounding = 0,
): string {
  const rounded = rounding > 0 ? ` rx="${at(rounding)}"` : "";
  return `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}"${rounded} fill="${fill}"/>`;
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

/** A line through points; it is broken where one is null. */
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

/** Advances of Inter from the space to the tilde, in hundredths of its size; what is beyond is taken as wide. */
const advances =
  "28 29 47 63 64 98 65 30 37 37 50 66 29 46 29 36 63 41 61 62 65 60 62 57 62 62 29 30 66 66 66 51 97 69 65 73 72 60 59 75 74 27 57 67 57 91 75 77 64 77 64 64 65 74 69 99 69 68 63 37 36 37 47 46 33 56 61 57 61 58 37 61 59 24 24 55 24 88 59 60 61 61 38 53 33 59 56 82 55 56 55 43 33 43 66"
    .split(" ")
    .map((of) => Number(of) / 100);

/** How wide a text is set in Inter; fonts that may stand in for it are up to a tenth wider. */
export function textWidth(content: string, size: number, bold = false): number {
  let width = 0;
  for (const character of content) width += advances[character.codePointAt(0)! - 32] ?? 0.75;
  return width * size * (bold ? 1.05 : 1);
}

/** Text that is cut to a width, with an ellipsis where it was. */
export function fitted(content: string, size: number, width: number): string {
  if (textWidth(content, size) <= width) return content;
  const characters = [...content];
  while (characters.length > 1 && textWidth(`${characters.join("")}…`, size) > width) characters.pop();
  return `${characters.join("").trimEnd()}…`;
}

/** Running text in lines of at most this width. */
export function lines(content: string, size: number, width: number, bold = false): string[] {
  const broken: string[] = [];
  for (const word of content.split(" ")) {
    const longer = broken.length > 0 ? `${broken.at(-1)} ${word}` : word;
    if (broken.length > 0 && textWidth(longer, size, bold) <= width) broken[broken.length - 1] = longer;
    else broken.push(word);
  }
  return broken;
}
