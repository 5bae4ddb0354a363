/** The texts of a picture and their boxes, from their attributes. */

export interface TextBox {
  readonly said: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const pieces = /<g transform="translate\(([\d.-]+) ([\d.-]+)\)">|<\/g>|<text ([^>]*)>([^<]*)<\/text>/g;

/** Ascent and descent of typical fonts, relative to their size. */
const [above, below] = [0.73, 0.2];

/** The boxes of all texts, which may be nested in at most one translated group. */
export function textBoxes(svg: string): TextBox[] {
  let [dx, dy] = [0, 0];
  const boxes: TextBox[] = [];
  for (const [piece, tx, ty, attributes, said] of svg.matchAll(pieces)) {
    if (attributes === undefined) [dx, dy] = piece === "</g>" ? [0, 0] : [Number(tx), Number(ty)];
    else boxes.push(boxOf(attributes, said, dx, dy));
  }
  return boxes;
}

function boxOf(text: string, said: string, dx: number, dy: number): TextBox {
  const attributes = new Map(
    [...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  const number = (name: string) => Number(attributes.get(name));
  const [x, y, size, width] = [dx + number("x"), dy + number("y"), number("font-size"), number("textLength")];
  const before = width * { start: 0, middle: 0.5, end: 1 }[attributes.get("text-anchor") ?? "start"]!;
  if (attributes.get("transform")?.startsWith("rotate(-90 ")) {
    const [bottom, top] = [y + before, y + before - width];
    return { said, left: x - above * size, right: x + below * size, top, bottom };
  }
  const left = x - before;
  return { said, left, right: left + width, top: y - above * size, bottom: y + below * size };
}

/** Texts that overlap by more than a pixel or are outside the picture, each as a sentence. */
export function misplaced(boxes: readonly TextBox[], width: number, height: number): string[] {
  const out = boxes.filter(
    ({ left, right, top, bottom }) => left < -1 || right > width + 1 || top < -1 || bottom > height + 1,
  );
  const onEachOther = boxes.flatMap((a, i) =>
    boxes
      .slice(0, i)
      .filter(
        (b) =>
          Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
          Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1,
      )
      .map((b) => `${b.said} lies on ${a.said}`),
  );
  return [...out.map(({ said }) => `${said} is cut`), ...onEachOther];
}
