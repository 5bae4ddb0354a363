/** The number of points of a curve over many steps. */
const most = 48;

/**
 * The indices of the steps after which a run is compared with its start: all of a short run, else evenly spaced on a
 * logarithmic scale; always with the last one.
 */
export function milestonesOf(steps: number): number[] {
  if (steps <= most) return Array.from({ length: steps }, (_, i) => i);
  const indices = new Set<number>();
  for (let i = 0; i < most; i++) indices.add(Math.round(steps ** (i / (most - 1))) - 1);
  return [...indices].sort((a, b) => a - b);
}
