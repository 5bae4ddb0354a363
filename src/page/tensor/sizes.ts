/** Sides of the matrix: a quarter of a million weights on the CPU; a million, or 16 million, on a GPU. */
export const sides = [512, 1024, 4096] as const;

/** The largest matrix that a CPU takes through thirty steps a second. */
export const mostOnCpu = 512;

/** Pixels on each side of a picture: one a weight, or one for a square of weights. */
export function pictureSide(side: number): number {
  return Math.min(side, 1024);
}
