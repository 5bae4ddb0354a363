import type { DifferenceTallyJson } from "../../src/lens/difference/difference.js";

/** A format by its bits; independent of `src/format/`, which it checks. */
export interface Layout {
  readonly exponentBits: number;
  readonly significandBits: number;
  /** Codes from here on, without their sign, are NaN or Inf; this one is Inf in IEEE formats. */
  readonly firstNonfinite: number;
  readonly ieee: boolean;
}

export const layouts = {
  bf16: { exponentBits: 8, significandBits: 7, firstNonfinite: 0x7f80, ieee: true },
  fp16: { exponentBits: 5, significandBits: 10, firstNonfinite: 0x7c00, ieee: true },
  fp32: { exponentBits: 8, significandBits: 23, firstNonfinite: 0x7f800000, ieee: true },
  e4m3fn: { exponentBits: 4, significandBits: 3, firstNonfinite: 0x7f, ieee: false },
  e5m2: { exponentBits: 5, significandBits: 2, firstNonfinite: 0x7c, ieee: true },
} as const satisfies Record<string, Layout>;

export function bitsOf({ exponentBits, significandBits }: Layout): number {
  return 1 + exponentBits + significandBits;
}

/** The number of a code. */
export function numberOf(code: number, layout: Layout): number {
  const { exponentBits, significandBits, firstNonfinite, ieee } = layout;
  const half = 2 ** (exponentBits + significandBits);
  const sign = code >= half ? -1 : 1;
  const magnitude = code % half;
  if (magnitude >= firstNonfinite) return ieee && magnitude === firstNonfinite ? sign * Infinity : NaN;
  const field = Math.floor(magnitude / 2 ** significandBits);
  const significand = magnitude % 2 ** significandBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (field === 0) return sign * significand * 2 ** (1 - bias - significandBits);
  return sign * (2 ** significandBits + significand) * 2 ** (field - bias - significandBits);
}

/** The expected counts of a comparison, element by element from the definitions, with an exact sum in bigints. */
export function expectedCounts(before: readonly number[], after: readonly number[], layout: Layout) {
  const half = 2 ** (bitsOf(layout) - 1);
  const counts = {
    elements: before.length,
    nonfinite: 0,
    nonfiniteChanged: 0,
    unchanged: 0,
    bytesChanged: 0,
    hidden: 0,
    neverUpdated: 0,
    // Codes are stored in the compared format, so there is no cast.
    cast: 0,
    castBelowNormal: 0,
    castZero: 0,
    // No scales here.
    codes: 0,
    codesChanged: 0,
    changedByScale: 0,
    scales: 0,
    scalesChanged: 0,
    scaleBytes: 0,
    scaleBytesChanged: 0,
    signFlips: 0,
    pathNotTaken: 0,
    smallSubnetworks: 0,
  };
  const distances = new Map<number, number>();
  for (const [i, from] of before.entries()) {
    const to = after[i];
    const [a, b] = [numberOf(from, layout), numberOf(to, layout)];
    if (from !== to) counts.bytesChanged++;
    if (![a, b].every(Number.isFinite)) {
      counts.nonfinite++;
      if (String(a) !== String(b)) counts.nonfiniteChanged++;
      continue;
    }
    const difference = Math.abs(b - a);
    if (difference <= 1e-3 * Math.max(Math.abs(a), Math.abs(b))) counts.pathNotTaken++;
    if (difference <= 1e-5) counts.smallSubnetworks++;
    if (difference === 0) {
      counts.unchanged++;
      continue;
    }
    if (a !== 0 && b !== 0 && a > 0 !== b > 0) counts.signFlips++;
    const [m, n] = [from % half, to % half];
    const distance = from >= half === to >= half ? Math.abs(m - n) : m + n;
    let bin = distance - 1;
    if (distance >= 16) for (bin = 15; distance >= 2 ** (bin - 10); bin++);
    distances.set(bin, (distances.get(bin) ?? 0) + 1);
  }
  const last = Math.max(-1, ...distances.keys());
  return { ...counts, distances: Array.from({ length: last + 1 }, (_, bin) => distances.get(bin) ?? 0) };
}

/** A tally without its sum, whose order the oracle does not define. */
export function countsOf({ displacementSquared: _, ...counts }: DifferenceTallyJson) {
  return counts;
}
