const largest = (2 - 2 ** -23) * 2 ** 127;

/**
 * What a weight did, in fp32: `after` - `before`, rounded to nearest-even, but no further than the largest fp32 number,
 * so that sums of products stay finite. Valid for fp32 numbers, NaN and Inf excepted.
 */
export function displacement(after: number, before: number): number {
  return Math.max(-largest, Math.min(largest, Math.fround(after - before)));
}
