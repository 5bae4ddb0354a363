/** The number of points of a curve over many steps. */
const most = 48;

/**
 * The steps after which a run of `steps` is compared with its start, as indices: each of a short run, else closer
 * together where a run begins, evenly on a logarithmic scale; the last one always.
 */
export function milestonesOf(steps: number): number[] {
  if (steps <= most) return Array.from({ length: steps }, (_, i) => i);
  const indices = new Set<number>();
  for (let i = 0; i < most; i++) indices.add(Math.round(steps ** (i / (most - 1))) - 1);
  return [...indices].sort((a, b) => a - b);
}
