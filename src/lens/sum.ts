/**
 * fp64 sums that do not depend on how the work is divided. Within a block of {@link blockLength} consecutive
 * elements of a tensor, {@link laneCount} partial sums are rounded as they grow, element i into lane i mod
 * laneCount, and combined pairwise by {@link sumOfLanes}; the sums of blocks are added without any error by
 * {@link ExactSum}. So every engine, chunk size (a multiple of the block), thread count and order gives the
 * same bits, and at fp64 addition speed. Terms are products of two fp32 numbers, which fp64 holds exactly: so
 * a device without fp64 needs no more than an exact sum of integers and one rounding for each term.
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
 * The sum of a block in which few elements have a term: the k-th term goes into lane k mod {@link laneCount}, wherever
 * its element lies, so that a device may gather the terms and then add them as vectors.
 */
export class SparseSum {
  readonly #lanes = new Float64Array(laneCount);
  #terms = 0;

  add(term: number): void {
    this.#lanes[this.#terms % laneCount] += term;
    this.#terms += 1;
  }

  /** The sum of the block; the next one begins. */
  end(): number {
    const sum = sumOfLanes(this.#lanes);
    this.#lanes.fill(0);
    this.#terms = 0;
    return sum;
  }
}

/**
 * An exact sum of finite fp64 numbers, kept as numbers that do not overlap, smallest first (Shewchuk, "Adaptive
 * precision floating-point arithmetic", 1997, Grow-Expansion; as Python's math.fsum).
 */
export class ExactSum {
  /** The numbers; beyond {@link #count} there is what is left of earlier ones. */
  readonly #parts: number[] = [];
  #count = 0;

  static of(parts: Iterable<number>): ExactSum {
    const sum = new ExactSum();
    for (const part of parts) sum.add(part);
    return sum;
  }

  /**
   * In place and branch-free (Knuth's TwoSum): ten times as fast (25 ns, measured), and there are hundreds of
   * thousands of sums.
   */
  add(x: number): void {
    const parts = this.#parts;
    const count = this.#count;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const part = parts[i];
      const sum = x + part;
      const ofPart = sum - x;
      const error = x - (sum - ofPart) + (part - ofPart);
      if (error !== 0) parts[kept++] = error;
      x = sum;
    }
    if (x !== 0) parts[kept++] = x;
    this.#count = kept;
  }

  addAll(other: ExactSum): void {
    for (const part of other.#all()) this.add(part);
  }

  /** The sum, rounded to nearest-even once. */
  value(): number {
    const parts = this.#parts;
    let i = this.#count - 1;
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

  /**
   * The sum as numbers that add up to it exactly, largest first; canonical: the same for equal sums, whatever
   * their history.
   */
  parts(): number[] {
    const rest = ExactSum.of(this.#all());
    const parts: number[] = [];
    for (let part = rest.value(); part !== 0; part = rest.value()) {
      parts.push(part);
      rest.add(-part);
    }
    return parts;
  }

  /** A copy, for what is added to while they are read. */
  #all(): number[] {
    return this.#parts.slice(0, this.#count);
  }
}
