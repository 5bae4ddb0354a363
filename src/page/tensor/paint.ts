/** Pictures of a tensor: one pixel a weight, as the canvas of a browser takes them. */

/** Colours as 0xAABBGGRR, the byte order of a canvas on every machine that is left. */
export interface PictureInks {
  /** Bits as at the start. */
  readonly ground: number;
  readonly larger: number;
  readonly smaller: number;
  readonly nonfinite: number;
}

/** What a picture shows: all that changed since the start, or only in the last step. */
export const spans = ["start", "step"] as const;
export type Span = (typeof spans)[number];

/** The least that a change lights up, so that none is overlooked. */
const least = 0.4;

/**
 * Paints where `now` differs from `before`: by its direction, the brighter the more, wholly from a difference of
 * `full` on. Any difference of bits shows, and nothing else does.
 */
export function paintChanges(
  before: Float32Array,
  now: Float32Array,
  full: number,
  inks: PictureInks,
  into: Uint32Array,
): void {
  const larger = ramp(inks.ground, inks.larger);
  const smaller = ramp(inks.ground, inks.smaller);
  const scale = full > 0 ? (shades - 1) / full : Infinity;
  for (let i = 0; i < into.length; i++) {
    const change = now[i] - before[i];
    if (change === 0) into[i] = inks.ground;
    else if (change > 0) into[i] = larger[Math.min(shades - 1, (change * scale) | 0)];
    else if (change < 0) into[i] = smaller[Math.min(shades - 1, (-change * scale) | 0)];
    else into[i] = inks.nonfinite;
  }
}

const shades = 64;

/** Colours from a faint one to the whole one. */
function ramp(ground: number, ink: number): Uint32Array {
  return Uint32Array.from({ length: shades }, (_, i) =>
    mix(ground, ink, least + ((1 - least) * i) / (shades - 1)),
  );
}

function mix(a: number, b: number, share: number): number {
  let mixed = 0;
  for (const shift of [0, 8, 16]) {
    const [from, to] = [(a >>> shift) & 0xff, (b >>> shift) & 0xff];
    mixed |= Math.round(from + (to - from) * share) << shift;
  }
  return (mixed | 0xff000000) >>> 0;
}

/** `#rrggbb` as a pixel. */
export function pixelOf(colour: string): number {
  const rgb = Number.parseInt(colour.slice(1), 16);
  return ((0xff << 24) | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >>> 16)) >>> 0;
}
