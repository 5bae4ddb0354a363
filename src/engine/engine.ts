import type { TensorInput } from "../lens/input.js";
import type { SelfCheck } from "../lens/run/result.js";
import type { CaseTally } from "../lens/run/summarize.js";
import type { CaseSettings } from "../update/optimizer.js";
import type { ChunkLens } from "./chunk-lens.js";

/** An engine's task: every case over every tensor, step by step. */
export interface LensJob {
  readonly tensors: readonly TensorInput[];
  /** The recording's step numbers; tensors have one row of updates for each. */
  readonly stepNumbers: readonly number[];
  /** All with schemes, or all with recipes of one optimizer with the same settings. */
  readonly cases: readonly CaseSettings[];
  /**
   * Indices into {@link stepNumbers}, ascending: after these steps the stored weights are compared with their
   * start as at the end, for the curves of a case. Never changes any other count.
   */
  readonly milestones?: readonly number[];
  /** Elements of a tensor processed at once. Never changes a result; see {@link chunkLength}. */
  readonly chunk?: number;
  /** Maximum number of threads; default one per core. Never changes a result. */
  readonly threads?: number;
}

export interface Observer {
  /** Called periodically with the number of the job's weight-steps (elements x steps) done. */
  progress?(done: number, total: number): void;
  /** Receives the final stored weights of a case, each piece once; valid during the call. */
  weights?(ofCase: number, tensor: number, start: number, weights: Float32Array): void;
  /**
   * Receives at the end the number of weight-steps left to the reference because the device could not take
   * them.
   */
  handedOver?(weightSteps: number): void;
}

/**
 * An implementation of the arithmetic. Every engine returns the counts, sums and stored bits of `reference`; one that
 * fails its self-check on this device is not used.
 */
export interface Engine {
  readonly name: string;
  /** The device's name in results. */
  readonly device: string;
  /**
   * The number of weight updates, over all cases, from which starting it pays off; absent if it starts at
   * once.
   */
  readonly worthFrom?: number;
  /** Whether the open device is a driver that computes on the CPU, such as SwiftShader or llvmpipe. */
  readonly isFallback?: boolean;
  /** Opens the device; returns the reason if there is none, in one sentence, or null. */
  unavailable?(): Promise<string | null>;
  /** Why it refuses such cases (of tensors of such shapes, if that matters), in a few words, or null. */
  refuses?(
    cases: readonly CaseSettings[],
    tensors?: readonly Pick<TensorInput, "name" | "shape">[],
  ): string | null;
  /** A remark for the result on how the job was counted, in a sentence, or null. */
  remark?(job: LensJob): string | null;
  /** Runs the self-check on this device: for these cases, or in general. */
  selfCheck(cases?: readonly CaseSettings[]): Promise<SelfCheck>;
  /** One tally for each case, in their order. */
  run(job: LensJob, observer?: Observer): Promise<CaseTally[]>;
  /** Opens a lens for callers that produce updates step by step, for at most this many weights. */
  open?(cases: readonly CaseSettings[], mostWeights: number): Promise<ChunkLens>;
  /** Releases the device; the next use reopens it. */
  close?(): Promise<void>;
}
