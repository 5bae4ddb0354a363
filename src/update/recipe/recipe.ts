import type { SchemeName } from "../scheme.js";
import type { Whole } from "./whole.js";

/**
 * An optimizer step exactly as one release of one framework computes it on one kind of device: data, not code.
 *
 * `scalars` are computed once a step in fp64 (as Python computes them) from the settings lr b1 b2 eps wd and the
 * step number t (1, 2, ...). `weight` is computed for each weight, every operation rounded to fp32 once; `fma` is
 * one operation. `R` rounds to the storage format by nearest-even, `S` stochastically, `A` to the nearest with ties away
 * from zero. It reads and assigns the weight p, the gradient g, and the states; other names hold for the step.
 */
export interface Recipe {
  readonly name: string;
  readonly optimizer: OptimizerName;
  /** Framework, release and device that it stands for. */
  readonly of: string;
  /** Where the sequence was read: repository and file; a paper where there is no code. */
  readonly source: string;
  /** The releases of the framework in which the sequence is known to be this one, and how. */
  readonly releases: string;
  /** What else has to be known of it, in a sentence. */
  readonly remark?: string;
  /** What it was compared with bit for bit; null where it was not, and says so wherever it is used. */
  readonly verified: string | null;
  /** The storage formats in which it was compared; default all, of what holds by definition. See {@link verifiedIn}. */
  readonly comparedIn?: readonly string[];
  /** The scheme that its storage amounts to. */
  readonly scheme: SchemeName;
  /** True where the weight stays in fp32 and no storage format is asked for. */
  readonly fp32Storage?: true;
  /** What is kept of past gradients; starts at zero. */
  readonly moments: readonly Moment[];
  /** True where moments are kept divided by their bias correction 1 - beta^t, unlike torch's. */
  readonly correctedMoments?: true;
  /** What keeps the part of an update that p cannot show: compensation, second term (from zero), master (from p). */
  readonly carriers: readonly { readonly name: string; readonly from: "zero" | "weight" }[];
  /** fp32 numbers that are kept beside the moments, such as the mean of a row; they start at zero. */
  readonly kept?: readonly string[];
  readonly scalars: readonly string[];
  readonly weight: readonly string[];
  /** What the last elements of a tensor take instead, where vector instructions leave them over. */
  readonly tail?: Tail;
  /** A part of the step that needs more than one weight, after the lines of `weight` and before those of `after`. */
  readonly whole?: Whole;
  /** For each weight again: reads the scalars, the states, and what `whole` reads and writes. */
  readonly after?: readonly string[];
  /** The intended step, where its moments are not those of the optimizer's own (see intended.ts). */
  readonly meant?: Lines;
}

/** The lines of a step: once, and for each weight; a whole tensor's between two of these. */
export type Lines = Pick<Recipe, "scalars" | "weight" | "whole" | "after">;

/** The last n mod `block` of a tensor's n elements take other lines. Engines need a block that divides 4096. */
export interface Tail {
  readonly block: number;
  readonly weight: readonly string[];
}

export interface Moment {
  /** M and V are fp32 numbers; under any other name it is kept in the storage format. */
  readonly name: string;
  /** What it stands for in fp32: the name in {@link intended}. */
  readonly of: "M" | "V";
  /** A second term that keeps what it cannot show. */
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
  /** Default 0: frameworks differ in theirs. */
  readonly weightDecay?: number;
}

/**
 * What a recipe was compared with where it stores this format: bf16 proves nothing of fp16.
 *
 * @param recipe one of `recipes`.
 * @param format the canonical name of the storage format.
 * @returns in words, what its bits were compared with; null where nothing was.
 * @throws nothing: in a format that is not known nothing was compared.
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
