import { plural } from "../../format/plural.js";

/**
 * How many elements of each tensor a sample of `elements` takes, stratified: in proportion to its size, but at least
 * one of each, and never more than it has. Largest remainders get what rounding leaves.
 *
 * @throws RangeError for fewer elements than tensors.
 */
export function stratify(sizes: readonly number[], elements: number): number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (elements >= total) return [...sizes];
  if (elements < sizes.length) {
    throw new RangeError(
      `${plural(elements, "element")}: expected at least one for each of ${plural(sizes.length, "tensor")}`,
    );
  }
  const exact = sizes.map((size) => (size * elements) / total);
  const taken = exact.map((share) => Math.max(1, Math.floor(share)));
  let left = elements - taken.reduce((sum, n) => sum + n, 0);
  // One each: remainders, of which some are below zero, add up to what is left, so that as many are above.
  const byRemainder = [...sizes.keys()].sort((a, b) => exact[b] - taken[b] - (exact[a] - taken[a]) || a - b);
  for (let i = 0; left > 0; i++, left--) taken[byRemainder[i]] += 1;
  // Where many tensors had less than one, the largest give it back.
  for (; left < 0; left++) taken[taken.indexOf(Math.max(...taken))] -= 1;
  return taken;
}
