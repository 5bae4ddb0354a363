import type { Format } from "../../format/format.js";
import { outermostBin } from "../../lens/histogram.js";
import { blockLength } from "../../lens/sum.js";
import { causes } from "../../lens/tally.js";
import { sharesScales } from "../../update/block-settings.js";
import { schemes } from "../../update/scheme.js";
import { momentCounts, statesOf } from "../lane/recipe-step.js";
import type { LaneSettings } from "../lane/refusal.js";
import { laneRule } from "../lane/scale-rules.js";

/**
 * The memory layout on the device. A thread has two of the eight lanes of a block of sums, elements 8j + 2m and
 * 8j + 2m + 1 for j from 0 up, which share a word of packed weights and a block of the random generator. Words of one
 * kind, one per pair, form a plane, in which the words of 32 threads are contiguous (kernels/text.ts).
 */
export const threads = 128;
export const threadsOfBlock = 4;
/** Blocks of sums of a workgroup, which are all of one piece of a tensor. */
export const blocksOfGroup = threads / threadsOfBlock;
export const elementsOfGroup = blocksOfGroup * blockLength;
/** Words of a plane for each workgroup; a plane of flags, a bit an element, has a sixteenth of it. */
export const planeWords = elementsOfGroup / 2;

/** Digits of 16 bits of a sum of a row, signed; the lowest is worth 2^-379. 2^15 blocks may be added to a row. */
export const digits = 44;
export const lowestExponent = -379;

/** The counts of a step of a piece. */
export const stepCounts = ["moved", "zero", "nonfinite", "kept", "rule", "ruleMoved"] as const;
/** The same of a step by a recipe, beside that; `parted` from the job's first case. */
export const recipeCounts = [
  "parted",
  ...causes,
  ...momentCounts.map((name) => `first ${name}` as const),
  ...momentCounts.map((name) => `second ${name}` as const),
] as const;
export type RecipeCount = (typeof recipeCounts)[number];
/** The same of a step where scales are shared: see UpdateTally and SharedCounts. */
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
 * What is counted where a piece is compared with its start: codes and scales where these are shared, `castChanged`
 * before the first step.
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

/** Counts of a row of a step, after which its sums come. */
export function stepCountsOf(
  settings: LaneSettings,
): readonly ((typeof stepCounts)[number] | RecipeCount | SharedCount)[] {
  if (sharesScales(settings)) return [...stepCounts, ...sharedCounts];
  return "recipe" in settings ? [...stepCounts, ...recipeCounts] : stepCounts;
}

export function stepRowWords(settings: LaneSettings): number {
  return stepCountsOf(settings).length + stepSums.length * digits;
}
export const endRowWords = endCounts.length + endSums.length * digits;

/** Bins of a case's histogram: from `first` on, `count` for each class, of two words. */
export function binsOf(settings: Pick<LaneSettings, "format">) {
  // Of gaps that are no powers of two, any bin: binOfGap of lens/histogram.ts.
  if (sharesScales(settings) && !laneRule(settings.blocks).powersOfTwo)
    return { first: -outermostBin, count: 2 * outermostBin + 1 };
  const { precision, maxExponent, minNormal, minPositive } = settings.format;
  // Exponents of scales; under larger ones no number is below 2^128.
  const [smallest, largest] = sharesScales(settings)
    ? [settings.blocks.scale.minExponent, Math.min(settings.blocks.scale.maxExponent, 128 - maxExponent)]
    : [0, 0];
  // |u| is from 2^-149 up to below 2^128, an ulp from that of the smallest number to that of the largest.
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

/**
 * Planes of what a case keeps of its weights. Where scales are shared, elements are kept in place of weights, which are
 * these times the scale.
 */
export interface StatePlanes {
  /** Stored weights before the first step, and as they are: one plane where numbers are packed, else two. */
  readonly start: number;
  readonly weights: number;
  /** What the end reads of a carrier; null where it has no need, and for a scheme's master, which is the fp32 run. */
  readonly carriers: StatePlane | null;
  readonly packed: boolean;
  /** Of a recipe: all that it keeps of a weight beside the weight itself, by name. */
  readonly states: ReadonlyMap<string, StatePlane>;
  /** Planes of numbers; those of flags follow, see {@link flagPlanes}. */
  readonly count: number;
}

/** Planes of numbers of one kind: one where they are packed, else two. */
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
  if ("recipe" in settings) {
    for (const [name, { stored }] of statesOf(settings)) states.set(name, plane(stored));
    const [carrier] = settings.recipe.carriers;
    if (carrier && holds !== "weight") carriers = states.get(carrier.name)!;
  } else if (holds === "sum") carriers = plane(true);
  return { start: 0, weights: each, carriers, packed, states, count };
}

/** The settings that determine planes. */
export type Planned = Pick<LaneSettings, "format" | "scheme"> | LaneSettings;

/** Whether what a case keeps is the fp32 run: the master of a scheme. A recipe has one of its own. */
export function isRun(settings: Planned): boolean {
  return !("recipe" in settings) && schemes[settings.scheme].holds === "carrier";
}

/** Planes after those of numbers, with a word for each 16 pairs of a thread: a bit for each of their elements. */
export const flagPlanes = { moved: 0, nonfinite: 1 } as const;

/** Words of a case's state for each workgroup. Where scales are shared, their tables follow (scale-tables.ts). */
export function stateWords(settings: Planned): number {
  return planeWords * statePlanes(settings).count + (2 * planeWords) / 16;
}

/** Planes of the fp32 run: the weights as given, and as they are; a plane of flags follows, `updated`. */
export const fp32Planes = { given: 0, now: 2, count: 4 } as const;
export const fp32Words = planeWords * fp32Planes.count + planeWords / 16;

/** Planes of AdamW's moments. */
export const momentPlanes = { m: 0, v: 2, count: 4 } as const;
export const momentWords = planeWords * momentPlanes.count;

/**
 * The parameters of a kernel call, words of a uniform buffer. `constants` are offsets in the buffer of that
 * name.
 */
export const parameterNames = [
  /** Workgroups, and words of a plane. */
  "groups",
  "plane",
  /** First word of the counts of the call, a row for each piece; and of the case's histograms. */
  "row",
  "histogram",
  /** In constants: keys of the step's updates and of its random bits, two words for each piece. */
  "keys",
  "bits",
  /** In constants: the table of quantiles or the knots of the noise, the knots of the signal, those of weights. */
  "table",
  "signal",
  "knots",
  /** In constants: what AdamW's lines read in this step; of recipes, how far that is from those of the first step. */
  "scalars",
  /** In constants: where each piece has its blocks. In the state: tables of them, and how many they have (scale-tables.ts). */
  "pieceScales",
  "magnitudes",
  "startScales",
  "scalesBefore",
  "scalesAfter",
  "scaleBlocks",
] as const;
export type Parameters = Readonly<Record<(typeof parameterNames)[number], number>>;

/** A slot of parameters; what is not given is not read. */
export function parameterWords(known: Partial<Parameters>): Uint32Array {
  return Uint32Array.from(parameterNames, (name) => known[name] ?? 0);
}

/** What constants have of each piece, after the piece of each workgroup. */
export const pieceWords = [
  /** In the batch. */
  "firstBlock",
  "length",
  /** Index of its first pair in the tensor, in two words. */
  "pairLow",
  "pairHigh",
  /** Of weights that are drawn. */
  "mean",
  "sigma",
  "weightKeyLow",
  "weightKeyHigh",
  /** Of gradients that are drawn. */
  "gradientScale",
  "signalKeyLow",
  "signalKeyHigh",
  /** In constants: the scalars of the tensor's first step by recipes. */
  "scalars",
  /** The tensor's matrices, and where in one the piece begins. */
  "width",
  "height",
  "column",
  "row",
] as const;
export type PieceConstants = Readonly<Record<(typeof pieceWords)[number], number>>;
