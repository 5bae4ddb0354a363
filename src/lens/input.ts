/** What the lens looks at, wherever it comes from. */

/** A row of numbers that can be read in pieces, in any order. */
export interface Values {
  readonly length: number;
  /**
   * Fills `into` with the numbers from index `start` on. Valid for start + into.length <= length. Weights are
   * read into Float64Array (so that an F64 checkpoint is rounded once), updates into Float32Array.
   */
  read(start: number, into: Float32Array | Float64Array): Promise<void>;
}

/** One weight tensor and the updates that were added to it, step after step. */
export interface TensorInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly weights: Values;
  /** One for each step of the run, fp32, as added: sign and learning rate included. */
  readonly updates: readonly Values[];
}

/** A tensor that was left out of the count, and why. */
export interface SkippedTensor {
  readonly name: string;
  readonly reason: string;
}
