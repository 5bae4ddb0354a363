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
/** Of each direction. */
export const shades = 64;

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
  const ramp = rampOf(inks);
  const { ground, nonfinite } = inks;
  const scale = full > 0 ? shades / full : Infinity;
  for (let i = 0; i < into.length; i++) {
    const change = now[i] - before[i];
    if (change === 0) into[i] = ground;
    else if (Number.isNaN(change)) into[i] = nonfinite;
    else {
      // The floor of a small fall is -1, that of a small rise 0: no branch on the sign, which would be a coin toss.
      const shade = Math.max(-shades, Math.min(shades - 1, Math.floor(change * scale)));
      into[i] = ramp[shades + shade];
    }
  }
}

/** From the most of a fall to the most of a rise. */
export function rampOf({ ground, larger, smaller }: PictureInks): Uint32Array {
  return Uint32Array.from({ length: 2 * shades }, (_, i) => {
    const [ink, shade] = i < shades ? [smaller, shades - 1 - i] : [larger, i - shades];
    return mix(ground, ink, least + ((1 - least) * shade) / (shades - 1));
  });
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
