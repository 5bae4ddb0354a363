const largest = (2 - 2 ** -23) * 2 ** 127;

/**
 * A weight's displacement in fp32: `after` - `before`, rounded to nearest-even, clamped to the largest fp32
 * number so that sums of products stay finite. Valid for fp32 numbers, NaN and Inf excepted.
 */
export function displacement(after: number, before: number): number {
  return Math.max(-largest, Math.min(largest, Math.fround(after - before)));
}
