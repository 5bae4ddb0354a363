import { ExactSum } from "../sum.js";

/** What numbers of a tensor, or of any set of tensors, are like. Merging is exact. */
export class NumberTally {
  elements = 0;
  zeros = 0;
  /** Not zero, and below the smallest normal number of the format that they are stored in. */
  subnormals = 0;
  nonfinite = 0;
  /** Magnitudes of finite numbers other than zero; infinite and 0 where there is none. */
  smallest = Number.POSITIVE_INFINITY;
  largest = 0;
  /** Magnitudes of numbers that are not finite: Inf, or NaN if one is NaN; 0 where there is none. */
  #largestNonfinite = 0;
  /** Of finite numbers: a sum for each piece that was added. */
  readonly squares = new ExactSum();

  /** @param minNormal of the format that they are stored in; 0 where subnormals are counted by codes, or there are none. */
  add(numbers: Float64Array, minNormal: number): void {
    let squares = 0;
    this.elements += numbers.length;
    for (let i = 0; i < numbers.length; i++) {
      const magnitude = Math.abs(numbers[i]);
      if (magnitude === 0) this.zeros += 1;
      else if (magnitude < Number.POSITIVE_INFINITY) {
        if (magnitude < minNormal) this.subnormals += 1;
        if (magnitude < this.smallest) this.smallest = magnitude;
        if (magnitude > this.largest) this.largest = magnitude;
        squares += magnitude * magnitude;
      } else {
        this.nonfinite += 1;
        this.#largestNonfinite = Math.max(this.#largestNonfinite, magnitude);
      }
    }
    if (Number.isFinite(squares)) this.squares.add(squares);
  }

  /** The largest magnitude of all numbers, from which a scale of the tensor is made: NaN if any number is NaN. */
  get amax(): number {
    return Math.max(this.largest, this.#largestNonfinite);
  }

  merge(other: NumberTally): void {
    for (const field of ["elements", "zeros", "subnormals", "nonfinite"] as const)
      this[field] += other[field];
    this.smallest = Math.min(this.smallest, other.smallest);
    this.largest = Math.max(this.largest, other.largest);
    this.#largestNonfinite = Math.max(this.#largestNonfinite, other.#largestNonfinite);
    this.squares.addAll(other.squares);
  }
}
