import type { Format } from "../../format/format.js";
import { outermostBin } from "../../lens/histogram.js";
import { blockLength } from "../../lens/sum.js";
import { causes } from "../../lens/tally.js";
import { schemes } from "../../update/scheme.js";
import type { UpdateSettings } from "../../update/settings.js";
import { momentCounts, statesOf } from "../lane/recipe-step.js";
import { laneRule } from "../lane/scale-rules.js";
import type { WebGpuSettings } from "./admission.js";

/**
 * The memory layout on the device. A thread has two of the eight lanes of a block of sums, elements 8j + 2m and
 * 8j + 2m + 1 for j from 0 up, which share a word of packed weights and a block of the random generator. Words of one
 * kind, one per pair, form a plane, in which the words of 32 threads are contiguous (kernels/text.ts).
 */
export const threads = 128;
export const threadsOfBlock = 4;
/** Blocks of sums per workgroup, all of one piece of a tensor. */
export const blocksOfGroup = threads / threadsOfBlock;
export const elementsOfGroup = blocksOfGroup * blockLength;
/** Words of a plane per workgroup; a plane of flags, one bit per element, has a sixteenth of them. */
export const planeWords = elementsOfGroup / 2;

/**
 * The signed 16-bit digits of a row's sums; the unit of the lowest is 2^-379. Up to 2^15 blocks may be added to a
 * row.
 */
export const digits = 44;
export const lowestExponent = -379;

/** The counts in the row of a step. */
export const stepCounts = ["moved", "zero", "nonfinite", "kept", "rule", "ruleMoved"] as const;
/** Additional counts of a recipe step; `parted` weights differ from those of the job's first case. */
export const recipeCounts = [
  "parted",
  ...causes,
  ...momentCounts.map((name) => `first ${name}` as const),
  ...momentCounts.map((name) => `second ${name}` as const),
] as const;
export type RecipeCount = (typeof recipeCounts)[number];
/** Additional counts of a step with shared scales: see UpdateTally and SharedCounts. */
export const sharedCounts = [
  "collateral",
  "collateralZeros",
  "codes",
  "blockScales",
  "tensorScales",
  "clipped",
  "flushed",
] as const;
export type SharedCount = (typeof sharedCounts)[number];
export const stepSums = ["updateSquared", "effectiveSquared", "product"] as const;

/**
 * The counts of a comparison with the start: `codes` and `blockScales` for shared scales only; `castChanged` is
 * counted before the first step.
 */
export const endCounts = [
  "nonfinite",
  "unchanged",
  "still",
  "neverUpdated",
  "returned",
  "pathNotTaken",
  "smallSubnetworks",
  "codes",
  "blockScales",
  "tensorScales",
  "castChanged",
] as const;
export const endSums = [
  "displacementSquared",
  "product",
  "weightSquared",
  "noiseSquared",
  "retainedProduct",
] as const;

/** The counts in the row of a case's step; its sums follow them. */
export function stepCountsOf(
  settings: WebGpuSettings,
): readonly ((typeof stepCounts)[number] | RecipeCount | SharedCount)[] {
  if (settings.blocks) return [...stepCounts, ...sharedCounts];
  return settings.recipe ? [...stepCounts, ...recipeCounts] : stepCounts;
}

export function stepRowWords(settings: WebGpuSettings): number {
  return stepCountsOf(settings).length + stepSums.length * digits;
}
export const endRowWords = endCounts.length + endSums.length * digits;

/** The bins of a case's histogram: `count` of them per class, from `first` on, of two words each. */
export function binsOf(settings: Pick<WebGpuSettings, "format" | "blocks">) {
  // Gaps that are no powers of two fall into any bin: binOfGap of lens/histogram.ts.
  if (settings.blocks && !laneRule(settings.blocks).powersOfTwo)
    return { first: -outermostBin, count: 2 * outermostBin + 1 };
  const { precision, maxExponent, minNormal, minPositive } = settings.format;
  // Exponents of scales; no block of fp32 numbers needs a larger one.
  const [smallest, largest] = settings.blocks
    ? [settings.blocks.scale.minExponent, Math.min(settings.blocks.scale.maxExponent, 128 - maxExponent)]
    : [0, 0];
  // |u| is in [2^-149, 2^128); an ulp is between those of the smallest and of the largest number.
  const smallestUlp = smallest + Math.min(Math.log2(minPositive), Math.log2(minNormal) + 1 - precision);
  const largestUlp = largest + Math.max(maxExponent + 1 - precision, Math.log2(minPositive));
  return { first: -149 - largestUlp, count: 277 + largestUlp - smallestUlp };
}

/** The classes of a histogram in the device's order. */
export const binClasses = ["lost", "moved", "kept"] as const;

/** Whether numbers of the format fit in the upper half of their fp32 bits. */
export function isPacked({ precision, minPositive }: Format): boolean {
  return precision <= 8 && minPositive >= 2 ** -133;
}

/** The planes of a case's state. With shared scales, elements are stored in place of weights. */
export interface StatePlanes {
  /** Stored weights before the first step, and current ones: one plane if packed, else two. */
  readonly start: number;
  readonly weights: number;
  /**
   * The carrier that the end kernel reads; null if it reads none, and for a scheme's master, which equals the fp32
   * run.
   */
  readonly carriers: StatePlane | null;
  readonly packed: boolean;
  /** For recipes: all states besides the weight, by name. */
  readonly states: ReadonlyMap<string, StatePlane>;
  /** The number of planes of numbers; those of flags follow, see {@link flagPlanes}. */
  readonly count: number;
}

/** Planes of numbers of one kind: one if packed, else two. */
export interface StatePlane {
  readonly plane: number;
  readonly packed: boolean;
}

export function statePlanes(settings: Planned): StatePlanes {
  const { format, scheme } = settings;
  const packed = isPacked(format);
  const each = packed ? 1 : 2;
  const { holds } = schemes[scheme];
  let count = 2 * each;
  const plane = (stored: boolean): StatePlane => {
    const own = { plane: count, packed: stored && packed };
    count += own.packed ? 1 : 2;
    return own;
  };
  const states = new Map<string, StatePlane>();
  let carriers: StatePlane | null = null;
  if (settings.recipe) {
    for (const [name, { stored }] of statesOf(settings)) states.set(name, plane(stored));
    const [carrier] = settings.recipe.carriers;
    if (carrier && holds !== "weight") carriers = states.get(carrier.name)!;
  } else if (holds === "sum") carriers = plane(true);
  return { start: 0, weights: each, carriers, packed, states, count };
}

/** The settings that determine planes. */
export type Planned = Pick<UpdateSettings, "format" | "scheme" | "recipe" | "blocks"> | WebGpuSettings;

/**
 * Whether the case's carrier equals the fp32 run: true for a scheme's master. A recipe's master is a state of its
 * own.
 */
export function isRun(settings: Planned): boolean {
  return !settings.recipe && schemes[settings.scheme].holds === "carrier";
}

/** The planes after those of numbers, with one word per 16 pairs of a thread: one bit per element. */
export const flagPlanes = { moved: 0, nonfinite: 1 } as const;

/** Words of a case's state per workgroup. The tables of shared scales follow (scale-tables.ts). */
export function stateWords(settings: Planned): number {
  return planeWords * statePlanes(settings).count + (2 * planeWords) / 16;
}

/** Planes of the fp32 run: given weights and current ones. A plane of flags, `updated`, follows. */
export const fp32Planes = { given: 0, now: 2, count: 4 } as const;
export const fp32Words = planeWords * fp32Planes.count + planeWords / 16;

/** Planes of AdamW's moments. */
export const momentPlanes = { m: 0, v: 2, count: 4 } as const;
export const momentWords = planeWords * momentPlanes.count;

/** The parameters of a kernel call, words of a uniform buffer. */
export const parameterNames = [
  /** The number of workgroups, and the words of a plane. */
  "groups",
  "plane",
  /** Offsets in counts: the rows of the call, one per piece, and the case's histograms. */
  "row",
  "histogram",
  /** Offsets in constants: keys of the step's updates and of its random bits, two words per piece. */
  "keys",
  "bits",
  /** Offsets in constants: the table of quantiles or the knots of the noise; knots of the signal; knots of weights. */
  "table",
  "signal",
  "knots",
  /**
   * Offset in constants: AdamW's scalars of this step. For recipes, the distance from the scalars of the first
   * step.
   */
  "scalars",
  /** Offsets of each piece's blocks in constants, and of their tables in the state (scale-tables.ts). */
  "pieceScales",
  "magnitudes",
  "startScales",
  "scalesBefore",
  "scalesAfter",
  "scaleBlocks",
] as const;
export type Parameters = Readonly<Record<(typeof parameterNames)[number], number>>;

/** The words of a slot of parameters; those not given are not read. */
export function parameterWords(known: Partial<Parameters>): Uint32Array {
  return Uint32Array.from(parameterNames, (name) => known[name] ?? 0);
}

/** The constants of each piece, which follow the piece numbers of all workgroups. */
export const pieceWords = [
  /** Its first block in the batch, and its number of elements. */
  "firstBlock",
  "length",
  /** The index of its first pair in the tensor, in two words. */
  "pairLow",
  "pairHigh",
  /** For drawn weights. */
  "mean",
  "sigma",
  "weightKeyLow",
  "weightKeyHigh",
  /** For drawn gradients. */
  "gradientScale",
  "signalKeyLow",
  "signalKeyHigh",
  /** Offset in constants: the recipe scalars of the tensor's first step. */
  "scalars",
  /** The sides of the tensor's matrices, and where in one the piece begins. */
  "width",
  "height",
  "column",
  "row",
] as const;
export type PieceConstants = Readonly<Record<(typeof pieceWords)[number], number>>;
