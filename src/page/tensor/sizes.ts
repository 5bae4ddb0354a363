/** Sides of the matrix: a quarter of a million weights on the CPU; a million, or 16 million, on a GPU. */
export const sides = [512, 1024, 4096] as const;

/** The largest side at which a CPU runs thirty steps per second. */
export const mostOnCpu = 512;

/** The side of a picture in pixels: one per weight, or one per square of weights. */
export function pictureSide(side: number): number {
  return Math.min(side, 1024);
}
