import type { MomentKind, TensorInput, TensorOptimizer } from "../lens/input.js";
import type { Tally, UpdateTally } from "../lens/tally.js";
import type { EndCounts } from "./end.js";

/** A run of elements of one tensor, and the weights there as given. */
export interface Chunk {
  readonly tensor: string;
  /** Index of the first element in its tensor: a multiple of blockLength. */
  readonly start: number;
  readonly weights: Float64Array;
  /** Of the tensor; where it is missing, these elements are one row. */
  readonly shape?: readonly number[];
  /**
   * The largest magnitude in the tensor of the fp32 run, before the first step and after each: NaN if there is one. Where a
   * case has a scale of the tensor and the chunk is not all of it.
   */
  readonly magnitudes?: Float64Array;
  /** As TensorInput.optimizer, with the moments of these elements. */
  readonly optimizer?: ChunkOptimizer;
}

/** What an optimizer does with a chunk; see TensorOptimizer. */
export interface ChunkOptimizer extends Pick<TensorOptimizer, "settings" | "stepsTaken"> {
  readonly moments: Readonly<Partial<Record<MomentKind, Float32Array>>>;
}

/**
 * What an engine does with one chunk after the other, for all cases at once. An engine whose arithmetic runs
 * elsewhere may promise: then all tallies of the chunk are whole when the promise of {@link take} is kept.
 */
export interface ChunkLens {
  /**
   * Reads what it needs of a whole tensor before its chunks, which are those given by their ends. A lens that has this takes
   * chunks that cut blocks of shared scales.
   */
  prepare?(tensor: TensorInput, ends: readonly number[]): Promise<void>;
  begin(chunk: Chunk): void | Promise<void>;
  /** Applies the updates (or gradients) of the step with the given number; adds to one tally a case. */
  step(inputs: Float32Array, step: number, tallies: readonly UpdateTally[]): void | Promise<void>;
  /** Compares the weights as they are now with the start: at milestones, and at the end of the chunk. */
  compare(counts: readonly EndCounts[]): void | Promise<void>;
  /**
   * Adds what else was counted, and forgets it: histogram, the probe of steps, causes; and of a chunk that has begun since,
   * its elements and casts. At the end of a chunk, or as often as it is looked at.
   */
  take(tallies: readonly Tally[]): void | Promise<void>;
  /** The stored weights of a case as they are now. */
  weights(ofCase: number): Float32Array | Promise<Float32Array>;
}
