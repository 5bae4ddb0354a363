import type { Format } from "../format/format.js";
import { type Quantiles, quantileOf } from "../update/quantiles.js";
import type { OptimizerSettings } from "../update/recipe/recipe.js";
import type { SimulatedTensor } from "../update/simulated-adamw.js";
import type { WeightDraws } from "../update/weight-draws.js";

/** The input of the lens, whatever its source. */

/** A row of numbers that can be read in pieces, in any order. */
export interface Values {
  readonly length: number;
  /**
   * Fills `into` with the numbers from index `start` on. Valid for start + into.length <= length. Weights are
   * read into Float64Array (so that an F64 checkpoint is rounded once), updates into Float32Array.
   */
  read(start: number, into: Float32Array | Float64Array): Promise<void>;
  /** For an engine that reads, draws or computes them where it counts. */
  readonly origin?: Origin;
}

/** Where numbers come from. */
interface Origins {
  /** They lie as bytes. */
  readonly stored: StoredBytes;
  /** Drawn from a table of quantiles. */
  readonly quantiles: Quantiles;
  /** Drawn as weights are. */
  readonly weights: WeightDraws;
  /** A step of a simulated run. */
  readonly simulated: SimulatedStep;
  readonly product: LowRank;
}

export type Origin = {
  readonly [Kind in keyof Origins]: { readonly kind: Kind; readonly of: Origins[Kind] };
}[keyof Origins];

/** The source of numbers, if it is of this kind. */
export function originOf<Kind extends keyof Origins>(
  { origin }: Values,
  kind: Kind,
): Origins[Kind] | undefined {
  return origin?.kind === kind ? (origin.of as Origins[Kind]) : undefined;
}

/** Numbers in memory. */
export function valuesOf(numbers: ArrayLike<number>): Values {
  return {
    length: numbers.length,
    read: async (start, into) => {
      for (let i = 0; i < into.length; i++) into[i] = numbers[start + i];
    },
  };
}

/** Numbers as little-endian bytes of a file or of shared memory: plain data that other threads can be given. */
export interface StoredBytes {
  /** The path of a file, or memory. */
  readonly in: string | SharedArrayBuffer;
  /** Of a file, what it was when it was opened: device, inode, size and time of the last change in ms, by commas. */
  readonly identity?: string;
  /** Of the first number; in memory a multiple of its width. */
  readonly byteOffset: number;
  /** fp32 numbers, or codes of 8 or 16 bits. */
  readonly format: Format;
  /** An fp32 number that each is multiplied by, in fp32; default 1. */
  readonly scale?: number;
}

/** One step of a simulated run, for an engine that can compute it where it counts. */
export interface SimulatedStep {
  readonly of: SimulatedTensor;
  /** Counted from 1. */
  readonly t: number;
  /** Those at the start of the run, on which weight decay depends. */
  readonly weights: Values;
}

/** A matrix of fp64 numbers, row by row, or column by column where it is transposed. */
export interface Factor {
  readonly values: Values;
  readonly transposed: boolean;
}

/**
 * A product of two thin matrices times a number, such as the update that a LoRA adapter stands for: element (i, j) is
 * scale * (left(i, 0) right(0, j) + left(i, 1) right(1, j) + ...), summed in fp64 in this order from +0, each product
 * and each sum one rounding (none is fused), then times the scale in fp64, then rounded to fp32 once.
 */
export interface LowRank {
  readonly rows: number;
  readonly columns: number;
  readonly rank: number;
  /** rows x rank */
  readonly left: Factor;
  /** rank x columns */
  readonly right: Factor;
  readonly scale: number;
  /** A format that elements are rounded to after fp32, by nearest-even, as where a product is stored before it is added. */
  readonly rounded?: Format;
}

/** fp32 numbers times another, each product one fp32 rounding. */
export function scaledValues(values: Values, by: number): Values {
  const { length, read } = values;
  const stored = originOf(values, "stored");
  const scale = Math.fround(by);
  return {
    length,
    // Two products are two roundings, and bytes are given one scale.
    ...(stored && stored.scale === undefined && { origin: { kind: "stored", of: { ...stored, scale } } }),
    read: async (start, into) => {
      await read(start, into);
      for (let i = 0; i < into.length; i++) into[i] = Math.fround(into[i] * scale);
    },
  };
}

/** Numbers drawn from a table of quantiles. */
export function drawnValues(length: number, drawn: Quantiles): Values {
  return {
    length,
    origin: { kind: "quantiles", of: drawn },
    read: async (start, into) => {
      for (let i = 0; i < into.length; i++) into[i] = quantileOf(drawn, start + i);
    },
  };
}

/** One weight tensor and its updates, step by step. */
export interface TensorInput {
  readonly name: string;
  /** Of the whole tensor. */
  readonly shape: readonly number[];
  /**
   * For a piece, the index of its first element; its rows end with the piece. A multiple of blockLength that
   * cuts no block of shared scales, so that the counts of pieces add up to the whole. Default 0.
   */
  readonly start?: number;
  readonly weights: Values;
  /** One for each step of the run, fp32, including sign and learning rate. */
  readonly updates: readonly Values[];
  /** For gradients: the optimizer's settings for this tensor, if they differ from those of the cases. */
  readonly optimizer?: TensorOptimizer;
}

/** Elements of a tensor, or of a piece of one, that are counted. */
export function countOf({ start = 0, weights }: Pick<TensorInput, "start" | "weights">): number {
  return weights.length - start;
}

/** Elements of all these. */
export function countOfAll(tensors: readonly TensorInput[]): number {
  return tensors.reduce((sum, tensor) => sum + countOf(tensor), 0);
}

/**
 * A piece of a tensor, from one element to before another. Elements keep their indices, so random draws do
 * not change.
 */
export function pieceOf(tensor: TensorInput, start: number, end: number): TensorInput {
  const cut = (values: Values): Values => ({
    ...values,
    length: end,
    read: (from, into) => values.read(from, into),
  });
  const weights = cut(tensor.weights);
  // Simulated updates are those of certain weights.
  const cutUpdates = (values: Values): Values => {
    const step = originOf(values, "simulated");
    return { ...cut(values), ...(step && { origin: { kind: "simulated", of: { ...step, weights } } }) };
  };
  const { optimizer } = tensor;
  const { M, V } = optimizer?.moments ?? {};
  return {
    ...tensor,
    ...(start > 0 && { start }),
    weights,
    updates: tensor.updates.map(cutUpdates),
    ...(optimizer && {
      optimizer: { ...optimizer, moments: { ...(M && { M: cut(M) }), ...(V && { V: cut(V) }) } },
    }),
  };
}

/** Recorded optimizer settings for one tensor, binding for engines that take recipes. */
export interface TensorOptimizer {
  /** The settings of each step, instead of those of the case. */
  readonly settings: readonly OptimizerSettings[];
  /** Steps that it took before the first one; 0 for an empty state. */
  readonly stepsTaken: number;
  /** The moments before the first step, by what they stand for in fp32 (see Moment.of); a missing one is zero. */
  readonly moments: Readonly<Partial<Record<MomentKind, Values>>>;
}

export type MomentKind = "M" | "V";

/** A tensor excluded from the counts, and why. */
export interface SkippedTensor {
  readonly name: string;
  readonly reason: string;
  /** Its weights; absent where it is none of the weights, such as scales, or updates of no weight. */
  readonly elements?: number;
}
