import { plural } from "../../format/plural.js";

/**
 * The sizes of a stratified sample of `elements`: in proportion to the size of each tensor, at least one element and
 * at most all of it. Rounding is resolved by largest remainders.
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
  // Add one to each of the largest. The remainders, some negative, sum to `left`, so at least that many are positive.
  const byRemainder = [...sizes.keys()].sort((a, b) => exact[b] - taken[b] - (exact[a] - taken[a]) || a - b);
  for (let i = 0; left > 0; i++, left--) taken[byRemainder[i]] += 1;
  // If many tensors were raised to one, the largest ones give up the excess.
  for (; left < 0; left++) taken[taken.indexOf(Math.max(...taken))] -= 1;
  return taken;
}
