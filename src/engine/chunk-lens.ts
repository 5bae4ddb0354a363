import type { MomentKind, TensorInput, TensorOptimizer } from "../lens/input.js";
import type { Tally, UpdateTally } from "../lens/tally.js";
import type { EndCounts } from "./end.js";

/** A run of elements of one tensor, and their given weights. */
export interface Chunk {
  readonly tensor: string;
  /** Index of the first element in its tensor: a multiple of blockLength. */
  readonly start: number;
  readonly weights: Float64Array;
  /** The shape of the tensor; if absent, the elements are one row. */
  readonly shape?: readonly number[];
  /**
   * The largest magnitudes of the tensor in the fp32 run, before the first step and after each; NaN if it has one.
   * Present if a case has a tensor scale and the chunk is not the whole tensor.
   */
  readonly magnitudes?: Float64Array;
  /** TensorInput.optimizer with the moments of these elements. */
  readonly optimizer?: ChunkOptimizer;
}

/** The optimizer's settings and states for a chunk; see TensorOptimizer. */
export interface ChunkOptimizer extends Pick<TensorOptimizer, "settings" | "stepsTaken"> {
  readonly moments: Readonly<Partial<Record<MomentKind, Float32Array>>>;
}

/**
 * Processes successive chunks for all cases at once. An engine on a device may return promises; then all tallies
 * of the chunk are complete when the promise of {@link take} resolves.
 */
export interface ChunkLens {
  /**
   * Reads data of a whole tensor before its chunks, which end at `ends`. Lenses with this method support chunks
   * that cut blocks of shared scales.
   */
  prepare?(tensor: TensorInput, ends: readonly number[]): Promise<void>;
  begin(chunk: Chunk): void | Promise<void>;
  /** Applies the updates (or gradients) of the step with the given number; adds to one tally per case. */
  step(inputs: Float32Array, step: number, tallies: readonly UpdateTally[]): void | Promise<void>;
  /** Compares the current weights with the start: at milestones, and at the end of the chunk. */
  compare(counts: readonly EndCounts[]): void | Promise<void>;
  /**
   * Adds all other counts and resets them: histogram, ulp rule, causes, and elements and casts of a chunk begun since
   * the last call. May be called at any step, and must be at the end of a chunk.
   */
  take(tallies: readonly Tally[]): void | Promise<void>;
  /** The current stored weights of a case. */
  weights(ofCase: number): Float32Array | Promise<Float32Array>;
}
