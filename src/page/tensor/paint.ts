/** Pictures of a tensor: one pixel per weight, in the pixel format of a canvas. */

/** Colours as 0xAABBGGRR, the byte order of a canvas on little-endian machines. */
export interface PictureInks {
  /** For weights with the same bits as at the start. */
  readonly ground: number;
  readonly larger: number;
  readonly smaller: number;
  readonly nonfinite: number;
}

/** Whether a picture shows changes since the start or of the last step. */
export const spans = ["start", "step"] as const;
export type Span = (typeof spans)[number];

/** The minimum brightness of a change, so that all are visible. */
const least = 0.4;
/** The number of shades per direction. */
export const shades = 64;

/**
 * Paints where `now` differs from `before`: coloured by direction, brighter for larger differences, with full colour
 * from a difference of `full`. Shows exactly the differences of bits.
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
      // floor() gives -1 for a small decrease and 0 for a small increase, without an unpredictable branch on the sign.
      const shade = Math.max(-shades, Math.min(shades - 1, Math.floor(change * scale)));
      into[i] = ramp[shades + shade];
    }
  }
}

/** The shades from the largest decrease to the largest increase. */
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
