import type { SchemeName } from "../scheme.js";
import type { Whole } from "./whole.js";

/**
 * An optimizer step exactly as one release of one framework computes it on one kind of device: data, not code.
 *
 * `scalars` are computed once per step in fp64 (as Python computes them) from the settings lr b1 b2 eps wd
 * and the step number t (1, 2, ...). `weight` is computed for each weight, every operation rounded to fp32
 * once; `fma` is one operation. `R` rounds to the storage format by nearest-even, `S` stochastically, `A` to
 * the nearest with ties away from zero. It reads and assigns the weight p, the gradient g, and the states;
 * other names last for the step.
 */
export interface Recipe {
  readonly name: string;
  readonly optimizer: OptimizerName;
  /** The framework, release and device that it represents. */
  readonly of: string;
  /** Source of the sequence: repository and file; a paper if there is no code. */
  readonly source: string;
  /** The framework releases known to use this sequence, and how that is known. */
  readonly releases: string;
  /** A further remark, in a sentence. */
  readonly remark?: string;
  /** The framework release that gives the same bits; null if unverified, which every output shows. */
  readonly verified: string | null;
  /**
   * The storage formats in which it was compared; default all, for recipes that hold by definition. See
   * {@link verifiedIn}.
   */
  readonly comparedIn?: readonly string[];
  /** The equivalent storage scheme. */
  readonly scheme: SchemeName;
  /** True if the weight stays in fp32 and no storage format applies. */
  readonly fp32Storage?: true;
  /** States of past gradients; they start at zero. */
  readonly moments: readonly Moment[];
  /** True if moments are stored divided by their bias correction 1 - beta^t, unlike torch's. */
  readonly correctedMoments?: true;
  /**
   * The buffer for the part of an update that p cannot represent: compensation, second term (from zero),
   * master (from p).
   */
  readonly carriers: readonly { readonly name: string; readonly from: "zero" | "weight" }[];
  /** Additional fp32 states, such as a row mean; they start at zero. */
  readonly kept?: readonly string[];
  readonly scalars: readonly string[];
  readonly weight: readonly string[];
  /** Lines for the last elements of a tensor, left over by vector loops. */
  readonly tail?: Tail;
  /** A part of the step that needs more than one weight, after the lines of `weight` and before those of `after`. */
  readonly whole?: Whole;
  /** For each weight again: reads the scalars, the states, and what `whole` reads and writes. */
  readonly after?: readonly string[];
  /** The intended step, if its moments differ from the optimizer's own (see intended.ts). */
  readonly meant?: Lines;
}

/** The lines of a step: once, and for each weight; with a whole-tensor part in between. */
export type Lines = Pick<Recipe, "scalars" | "weight" | "whole" | "after">;

/**
 * The last n mod `block` of a tensor's n elements use other lines. Engines need a block that divides 4096.
 */
export interface Tail {
  readonly block: number;
  readonly weight: readonly string[];
}

export interface Moment {
  /** M and V are fp32 numbers; any other name is kept in the storage format. */
  readonly name: string;
  /** Its fp32 counterpart: the name in {@link intended}. */
  readonly of: "M" | "V";
  /** A second term for the part that it cannot represent. */
  readonly carrier?: string;
}

export type OptimizerName = "adamw" | "adam" | "sgd" | "lion" | "muon" | "adafactor";

/** Settings of a step; each optimizer reads those it knows. Numbers are fp64, as in Python. */
export interface OptimizerSettings {
  readonly lr: number;
  /** Default .9 and .999 (AdamW), .9 and .99 (Lion); the first is the momentum of SGD and of Muon (default .95). */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
  /** Default 0; framework defaults differ. */
  readonly weightDecay?: number;
}

/**
 * What a recipe was compared with in this storage format: bf16 proves nothing about fp16.
 *
 * @param recipe one of `recipes`.
 * @param format the canonical name of the storage format.
 * @returns what its bits were compared with, in words; null if unverified.
 * @throws nothing: an unknown format counts as unverified.
 * @example verifiedIn(recipes.adamw.get("torch-2.13-cpu-fused"), "fp16"); // null
 */
export function verifiedIn(recipe: Recipe, format: string): string | null {
  const { verified, comparedIn } = recipe;
  return comparedIn === undefined || comparedIn.includes(format) ? verified : null;
}

/** The moments of AdamW as they are stored, and in fp32. */
export const storedMoments: readonly Moment[] = [
  { name: "m", of: "M" },
  { name: "v", of: "V" },
];
export const fp32Moments: readonly Moment[] = [
  { name: "M", of: "M" },
  { name: "V", of: "V" },
];
