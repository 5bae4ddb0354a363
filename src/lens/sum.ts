/**
 * Sums of fp64 numbers that do not depend on how the work was divided. Within a block of {@link blockLength}
 * consecutive elements of a tensor, {@link laneCount} partial sums are rounded as they grow, element i into lane
 * i mod laneCount, and combined pairwise by {@link sumOfLanes}; the sums of blocks are added without any error by
 * {@link ExactSum}. So every engine, chunk size (a multiple of the block), thread count and order gives the same
 * bits, and at fp64 addition speed. Terms are products of two fp32 numbers, which fp64 holds exactly: so a device
 * without fp64 needs no more than an exact sum of integers and one rounding for each term.
 */
export const blockLength = 4096;
export const laneCount = 8;

/** The sum of one block from its lanes, pairwise. */
export function sumOfLanes(lanes: Float64Array): number {
  return lanes[0] + lanes[1] + (lanes[2] + lanes[3]) + (lanes[4] + lanes[5] + (lanes[6] + lanes[7]));
}

/** The sum of a[i] b[i] for i from `start`, a multiple of {@link blockLength}, to `end`, within one block. */
export function sumOfProducts(a: Float32Array, b: Float32Array, start: number, end: number): number {
  const lanes = new Float64Array(laneCount);
  for (let i = start; i < end; i++) lanes[i % laneCount] += a[i] * b[i];
  return sumOfLanes(lanes);
}

/**
 * An exact sum of finite fp64 numbers, kept as numbers that do not overlap, smallest first (Shewchuk, "Adaptive
 * precision floating-point arithmetic", 1997, Grow-Expansion; as Python's math.fsum).
 */
export class ExactSum {
  #parts: number[] = [];

  static of(parts: Iterable<number>): ExactSum {
    const sum = new ExactSum();
    for (const part of parts) sum.add(part);
    return sum;
  }

  add(x: number): void {
    const parts: number[] = [];
    for (const part of this.#parts) {
      const [large, small] = Math.abs(x) < Math.abs(part) ? [part, x] : [x, part];
      x = large + small;
      const error = small - (x - large);
      if (error !== 0) parts.push(error);
    }
    if (x !== 0) parts.push(x);
    this.#parts = parts;
  }

  addAll(other: ExactSum): void {
    for (const part of other.#parts) this.add(part);
  }

  /** The sum, rounded to nearest-even once. */
  value(): number {
    const parts = this.#parts;
    let i = parts.length - 1;
    if (i < 0) return 0;
    let sum = parts[i];
    let error = 0;
    while (i > 0 && error === 0) {
      const large = sum;
      i -= 1;
      sum = large + parts[i];
      error = parts[i] - (sum - large);
    }
    // The rounded sum stands unless it was a tie that the parts below it break the other way.
    if (i > 0 && error < 0 === parts[i - 1] < 0) {
      const doubled = 2 * error;
      const other = sum + doubled;
      if (other - sum === doubled) return other;
    }
    return sum;
  }

  /** The sum as numbers that add up to it exactly, largest first; the same for the same sum, whatever its history. */
  parts(): number[] {
    const rest = ExactSum.of(this.#parts);
    const parts: number[] = [];
    for (let part = rest.value(); part !== 0; part = rest.value()) {
      parts.push(part);
      rest.add(-part);
    }
    return parts;
  }
}
