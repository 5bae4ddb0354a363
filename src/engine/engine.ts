import type { TensorInput } from "../lens/input.js";
import type { SelfCheck } from "../lens/run/result.js";
import type { CaseTally } from "../lens/run/summarize.js";
import type { CaseSettings } from "../update/optimizer.js";
import type { ChunkLens } from "./chunk-lens.js";

/** What is asked of an engine: every case over every tensor, step after step. */
export interface LensJob {
  readonly tensors: readonly TensorInput[];
  /** The numbers that the recording gives its steps; tensors have one row of updates for each. */
  readonly stepNumbers: readonly number[];
  /** All by schemes, or all by recipes of one optimizer with the same settings. */
  readonly cases: readonly CaseSettings[];
  /**
   * Indices into {@link stepNumbers}, ascending: after these steps the stored weights are compared with their start as
   * at the end, which gives the curves of a case. Never changes any other count.
   */
  readonly milestones?: readonly number[];
  /** Elements of a tensor that are worked on at once. Never changes a result; see {@link chunkLength}. */
  readonly chunk?: number;
  /** Most threads to work on; default one a core. Never changes a result. */
  readonly threads?: number;
}

export interface Observer {
  /** Called now and then with how many of the job's weight-steps (elements x steps) are done. */
  progress?(done: number, total: number): void;
  /** Given the stored weights of a case at its end, piece by piece, each piece once; valid during the call. */
  weights?(ofCase: number, tensor: number, start: number, weights: Float32Array): void;
  /** Told at the end how many weight-steps an engine left to the reference because its device could not take them. */
  handedOver?(weightSteps: number): void;
}

/**
 * Where the arithmetic runs. Every engine gives the counts, sums and stored bits of `reference`; one that cannot
 * prove it on this device by its self-check is not used.
 */
export interface Engine {
  readonly name: string;
  /** The device in words, as results name it. */
  readonly device: string;
  /** Updates of weights, of all cases, from which a job is worth the time it takes to start; none if it takes none. */
  readonly worthFrom?: number;
  /** Opens the device; why there is none on this machine, in one sentence, or null. */
  unavailable?(): Promise<string | null>;
  /** Why it does not take such cases, of tensors of such shapes if it depends on them, in a few words, or null. */
  refuses?(
    cases: readonly CaseSettings[],
    tensors?: readonly Pick<TensorInput, "name" | "shape">[],
  ): string | null;
  /** What a result of the job has to say of how it was counted, in a sentence, or null. */
  remark?(job: LensJob): string | null;
  /** Proves itself on this device: for these cases, or in general. */
  selfCheck(cases?: readonly CaseSettings[]): Promise<SelfCheck>;
  /** One tally for each case, in their order. */
  run(job: LensJob, observer?: Observer): Promise<CaseTally[]>;
  /** A lens of its own, for who makes the updates of each step as they come: it is given at most so many weights. */
  open?(cases: readonly CaseSettings[], mostWeights: number): Promise<ChunkLens>;
  /** Lets go of the device; the next use opens it again. */
  close?(): Promise<void>;
}
