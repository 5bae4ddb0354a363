import type { CastWithoutScale } from "../cast.js";
import type { Geometry } from "../geometry-result.js";
import type { SkippedTensor } from "../input.js";
import type { Part } from "../shard/part.js";
import type { Spread } from "../spread.js";
import type { FirstShown } from "../study/first-shown.js";
import type { Sampling } from "../study/sampling.js";
import type { Case } from "./case.js";
import type { MergeLens } from "./merge-lens.js";
import type { SyntheticInput } from "./synthetic-result.js";

/** The one result object, `precision-lens/2`; docs/result.schema.json is its JSON Schema. */
export interface Result {
  readonly schema: "precision-lens/2";
  readonly tool: { readonly name: string; readonly version: string };
  readonly input: ResultInput;
  readonly settings: ResultSettings;
  readonly engine: ResultEngine;
  readonly cases: readonly Case[];
  readonly skipped: readonly SkippedTensor[];
  /** Of the weights at their start, in formats that usually have scales. Absent where no case has such a format. */
  readonly casts?: readonly CastWithoutScale[];
  /** Estimates for the model that was sampled. */
  readonly sampling?: Sampling;
  /** Simulated runs: after how many steps weights first show, by their magnitude. */
  readonly firstShown?: readonly FirstShown[];
  /** Of a shard, and of several merged: which part of the whole it is. Absent for a whole. */
  readonly part?: Part;
  /** Where the updates are those of a LoRA adapter that is merged. */
  readonly merge?: MergeLens;
  /** Of a recorded run, where it was asked for: how its updates, added in fp32, changed each matrix. */
  readonly geometry?: Geometry;
}

export interface ResultInput {
  /**
   * `recorded`: updates as a training run recorded them. `synthetic`: drawn. `adapter`: the product of a LoRA adapter, added once.
   * `arrays`: given to the library.
   */
  readonly kind: "recorded" | "synthetic" | "adapter" | "arrays";
  /** Where weights and updates came from, as the caller named them; null for arrays. */
  readonly weights: string | null;
  readonly updates: string | null;
  /** Instead of updates, where an optimizer computed them. */
  readonly gradients: string | null;
  /** The moments that the optimizer started from, where they were recorded. */
  readonly moments?: string;
  /** A LoRA adapter, and the merged checkpoint that it was compared with. */
  readonly adapter?: string;
  readonly merged?: string;
  readonly tensors: number;
  readonly elements: number;
  /** The numbers of the steps, ascending. */
  readonly stepNumbers: readonly number[];
  /** File metadata, uninterpreted. */
  readonly metadata: Readonly<Record<string, string>>;
  /** How a synthetic input was drawn. */
  readonly synthetic?: SyntheticInput;
}

export interface ResultSettings {
  /** How updates were computed from gradients; null for recorded updates. */
  readonly optimizer: ResultOptimizer | null;
  readonly overflow: string;
  readonly seed: number;
  readonly strict: boolean;
}

/** The settings of an optimizer: each one number, or its least and greatest over all steps and tensors. */
export interface ResultOptimizer {
  readonly name: string;
  readonly lr: Spread;
  readonly betas: readonly [Spread, Spread];
  readonly eps: Spread;
  readonly weightDecay: Spread;
  /** Steps taken before the first one, where moments were recorded. */
  readonly stepsTaken?: Spread;
  /** Where settings came from the recording: those that were given beside it, and whether they won over recorded ones. */
  readonly recorded?: {
    readonly given: {
      readonly lr?: number;
      readonly betas?: readonly [number, number];
      readonly eps?: number;
      readonly weightDecay?: number;
    };
    readonly override: boolean;
  };
}

export interface ResultEngine {
  readonly name: string;
  readonly device: string;
  readonly selfCheck: SelfCheck;
  /** Weight-steps left to the reference, because the device cannot take their numbers. */
  readonly handedOver?: number;
  /** A remark on how it was counted, if needed. */
  readonly remark?: string;
  /** Of merged shards: the engines of all, each once. */
  readonly parts?: readonly EngineOfParts[];
}

/** An engine that counted some shards. */
export interface EngineOfParts extends Omit<ResultEngine, "handedOver" | "parts"> {
  /** How many shards it counted. */
  readonly shards: number;
}

/** How many hard cases an engine got right on this device. */
export interface SelfCheck {
  readonly passed: number;
  readonly failed: number;
  /** The first failure, in words; null when all passed. */
  readonly firstFailure: string | null;
}
