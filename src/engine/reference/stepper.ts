import type { Class } from "../../lens/classify.js";
import type { EndTally, Tally, UpdateTally } from "../../lens/tally.js";
import type { WeightState } from "../../update/scheme.js";
import type { Chunk } from "../chunk-lens.js";

/** What one step did to one weight. */
export interface Outcome {
  readonly before: WeightState;
  readonly after: WeightState;
  /** The update that was to be made. */
  readonly update: number;
  /**
   * Where scales are shared: whether the code changes under the scales before the step too, and the gap between numbers
   * there. NaN where the number is none.
   */
  readonly shared?: { readonly codeMoves: boolean; readonly gap: number };
}

/** A way to take updates, over one chunk of weights after the other. */
export interface Stepper {
  /** The stored weights of the chunk, as they are now. */
  readonly weights: Float32Array;
  /** Their carriers; not read where the scheme has none. */
  readonly carriers: Float32Array;
  /** Stores the weights of a chunk, as they are before the first step. */
  begin(chunk: Chunk): void;
  /** Makes ready for the step that the recording gives this number, and for all inputs of the chunk. */
  beginStep(step: number, inputs: Float32Array): void;
  /** Takes weight i through the step. The input is an update, or a gradient. */
  step(i: number, input: number): Outcome;
  /** Adds what is counted of the last step by block, and of the chunk as it is now against its start. */
  countStep?(tally: UpdateTally): void;
  countEnd?(tally: EndTally): void;
  /** Told the class of the weight that {@link step} took last. */
  classified?(as: Class): void;
  /** Adds what only this way counts since the last time. */
  take?(tally: Tally): void;
}
