import type { Class } from "../../lens/classify.js";
import type { EndTally, Tally, UpdateTally } from "../../lens/tally.js";
import type { WeightState } from "../../update/scheme.js";
import type { Chunk } from "../chunk-lens.js";

/** The effect of one step on one weight. */
export interface Outcome {
  readonly before: WeightState;
  readonly after: WeightState;
  /** The intended update. */
  readonly update: number;
  /**
   * For shared scales: whether the code would change under the scales before the step too, and the gap between numbers
   * there, NaN if the weight is NaN.
   */
  readonly shared?: { readonly codeMoves: boolean; readonly gap: number };
}

/** Applies updates to successive chunks of weights. */
export interface Stepper {
  /** The current stored weights of the chunk. */
  readonly weights: Float32Array;
  /** Their carriers; not read if the scheme has none. */
  readonly carriers: Float32Array;
  /** Stores the given weights of a chunk before its first step. */
  begin(chunk: Chunk): void;
  /** Prepares the step with this number in the recording, for all inputs of the chunk. */
  beginStep(step: number, inputs: Float32Array): void;
  /** Runs the step on weight i. The input is an update or a gradient. */
  step(i: number, input: number): Outcome;
  /** Add the counts made per block: of the last step, and of the current chunk compared with its start. */
  countStep?(tally: UpdateTally): void;
  countEnd?(tally: EndTally): void;
  /** Receives the class of the last weight passed to {@link step}. */
  classified?(as: Class): void;
  /** Adds the counts specific to this stepper since the last call. */
  take?(tally: Tally): void;
}
