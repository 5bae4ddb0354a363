import type { ModuleKind } from "./module-kind.js";

/**
 * Nulls, each preserving only one property of the change:
 * - `isotropic`: its norm;
 * - `signs`: the size of every change in its place, with random signs;
 * - `size`: how often weights of a size changed;
 * - `storage`: the share changed, by a Gaussian displacement that knows nothing of the weight it meets;
 * - `walk`: learning rate and steps, every update of that size with a sign of its own;
 * - `chance`: the share changed, each weight as likely as any other.
 */
export type NullName = "isotropic" | "signs" | "size" | "storage" | "walk" | "chance";

export interface Expectation {
  readonly null: NullName;
  readonly expected: number;
}

/** A measured value and its expectation under a null. */
export interface Measure {
  /** Null with a reason. */
  readonly measured: number | null;
  /** Null if the expectation cannot be computed; the reason says what is missing. */
  readonly expected: number | null;
  readonly null: NullName | null;
  /** measured / expected */
  readonly ratio: number | null;
  /** Standard deviation of the expectation under its null; absent if exact or unknown. */
  readonly deviation?: number;
  readonly others?: readonly Expectation[];
  readonly reason?: string;
}

/** Leading directions, and layers of each stack whose spectra are taken, where nothing else is asked for. */
export const [defaultRank, defaultLayers] = [64, 5];

export const measureNames = [
  "size",
  "changed",
  "principalOverlap",
  "lowOverlap",
  "rowSpread",
  "columnSpread",
  "stableRank",
  "drift",
  "angleLeftMedian",
  "angleLeft90",
  "angleRightMedian",
  "angleRight90",
  "energy16",
  "energy64",
  "energyQuarter",
] as const;
export type MeasureName = (typeof measureNames)[number];

/** Those that need singular vectors or values. */
export const spectralNames = [
  "principalOverlap",
  "stableRank",
  "drift",
  "angleLeftMedian",
  "angleLeft90",
  "angleRightMedian",
  "angleRight90",
  "energy16",
  "energy64",
  "energyQuarter",
] as const satisfies readonly MeasureName[];

export type SpectralName = (typeof spectralNames)[number];

export type Measures = Readonly<Record<MeasureName, Measure>>;

/** How the spectra of a tensor were computed. */
export interface SpectrumMethod {
  /** All singular values, or the leading ones by block Lanczos. */
  readonly values: "all" | "leading";
  /** Leading directions of the angles, of the principal mask and, of `leading` values, of the drift. */
  readonly k: number;
  /** Draws of signs. */
  readonly draws: number;
  /** Of `leading` values: products of the base and its transpose with a block of vectors. */
  readonly passes?: number;
  /** Of `leading` values: the estimated error of the base's, of what is allowed. Above 1 what needs them is null. */
  readonly unsettled?: number;
}

export interface TensorGeometry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: ModuleKind;
  readonly stack: string | null;
  readonly layer: number | null;
  /** Null where none was taken. */
  readonly spectrum: SpectrumMethod | null;
  readonly measures: Measures;
  /** How often rows and columns changed, in at most 64 groups of neighbours: measured, and expected by size. */
  readonly profiles: { readonly rows: Profile; readonly columns: Profile } | null;
}

export interface Profile {
  readonly measured: readonly number[];
  readonly expected: readonly number[];
}

/** A mean over tensors. Deviations are of the mean; an interval is there where layers were sampled. */
export interface MeanMeasure extends Measure {
  /** Tensors that have the measure. */
  readonly tensors: number;
  /** The 95 % interval of the mean over all layers, from the sampled ones. */
  readonly interval?: readonly [number, number];
}

export interface MeanMeasures {
  readonly tensors: number;
  readonly elements: number;
  /** Unweighted over tensors, as in most papers. */
  readonly measures: Readonly<Record<MeasureName, MeanMeasure>>;
  /** Weighted by element count. */
  readonly weighted: Readonly<Record<MeasureName, MeanMeasure>>;
}

export interface GeometryOfKind extends MeanMeasures {
  readonly kind: ModuleKind;
}

export interface GeometryOfLayer extends MeanMeasures {
  readonly stack: string;
  readonly layer: number;
  /** Whether its spectra were taken. */
  readonly spectra: boolean;
}

/** A tuned model against the base. */
export interface ModelGeometry {
  readonly totals: MeanMeasures;
  readonly kinds: readonly GeometryOfKind[];
  readonly layers: readonly GeometryOfLayer[];
  readonly tensors: readonly TensorGeometry[];
}

/** Overlap of the changed weights of two tuned models: both / either. */
export interface Overlap {
  /** Indices of the models, 0 for the first AFTER. */
  readonly models: readonly [number, number];
  readonly totals: Measure;
  readonly kinds: readonly { readonly kind: ModuleKind; readonly jaccard: Measure }[];
  readonly tensors: readonly { readonly name: string; readonly jaccard: Measure }[];
}

/** The field `geometry` of a comparison. */
export interface Geometry extends ModelGeometry {
  readonly rank: number;
  readonly seed: number;
  /** The number of layers with spectra, and of all layers. */
  readonly sampled: { readonly layers: number; readonly of: number; readonly all: boolean };
  /** Of the noise walk; null where they were not given. */
  readonly walk: { readonly lr: number; readonly steps: number } | null;
  /** Of a recorded run: the means after so many of its updates. */
  readonly curve?: readonly { readonly updates: number; readonly totals: MeanMeasures }[];
  /** Of a recorded run: KL(base || run) and KL(run || base) as its outcome.json tells them; null where there is none. */
  readonly divergence?: { readonly forward: number | null; readonly reverse: number | null } | null;
  /** Tuned models after the first, and how far the changes of all overlap. */
  readonly others?: readonly (ModelGeometry & { readonly path: string })[];
  readonly jaccard?: readonly Overlap[];
  /** Tensors without a geometry, and why. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
}
