import { magnitudeCode } from "../format/encode.js";
import type { Format } from "../format/format.js";

/** The format that two numbers are compared in; fp64 only where both files store it. */
export type ComparedFormat = Format | "fp64";

/** Distances below this have a bin each; from here on a bin is a power of two wide. */
export const firstWideDistance = 16;

/** Bins that any distance falls in: 15 exact ones, then [2^4, 2^5) to [2^63, 2^64). */
export const distanceBins = firstWideDistance - 1 + 60;

/**
 * The number of steps between neighbouring numbers of the format from a to b: 0 if equal, 1 for neighbours,
 * with +0 = -0. Valid for finite numbers of the format. An exact integer; a bigint in fp64, which has 2^64
 * codes.
 */
export function ulpDistance(a: number, b: number, format: ComparedFormat): number | bigint {
  if (format === "fp64") {
    const distance = float64Index(b) - float64Index(a);
    return distance < 0n ? -distance : distance;
  }
  return Math.abs(index(b, format) - index(a, format));
}

/** Numbers of the format between zero and x, negative below zero. */
function index(x: number, format: Format): number {
  return Math.sign(x) * magnitudeCode(Math.abs(x), format);
}

const float64 = new Float64Array(1);
const code64 = new BigUint64Array(float64.buffer);

function float64Index(x: number): bigint {
  float64[0] = Math.abs(x);
  return x < 0 ? -code64[0] : code64[0];
}

/** The bin of a distance of at least 1: distance - 1 up to 15, then 15 for 16 to 31, 16 for 32 to 63 and so on. */
export function distanceBin(distance: number | bigint): number {
  if (distance < firstWideDistance) return Number(distance) - 1;
  return firstWideDistance - 5 + distance.toString(2).length - 1;
}

/** The least distance of a bin. */
export function leastDistance(bin: number): number {
  return bin < firstWideDistance ? bin + 1 : 2 ** (bin - (firstWideDistance - 5));
}
