import type { Class } from "../classify.js";
import type { HistogramJson } from "../histogram.js";
import type { ChangedCounts, SharedCounts } from "../shared-tally.js";
import type { Cause } from "../tally.js";

/** One format, rounding, scheme and opmath over all tensors. Ratios are null where their denominator is zero. */
export interface Case extends LensCounts {
  readonly format: string;
  readonly rounding: string;
  readonly scheme: string;
  readonly opmath: string;
  /** Where scales are shared: the format that the master was rounded to before it was quantized; absent for none. */
  readonly through?: string;
  /** Where scales are shared and stay what they were before the first step. */
  readonly scales?: "kept";
  /** The first beta of the optimizer, whose momentum takes the rounding errors of the scheme `eco`. */
  readonly momentum?: number;
  /** The optimizer's recipe, where updates were computed from gradients. */
  readonly recipe: ResultRecipe | null;
  readonly steps: readonly StepCounts[];
  /** The run so far, after the steps that were asked for; empty where none were. */
  readonly curve: readonly CurvePoint[];
  readonly tensors: readonly TensorCounts[];
}

export interface ResultRecipe {
  readonly name: string;
  /** Framework, release and device that it stands for. */
  readonly of: string;
  /** What it was compared with bit for bit in this format; null: it was not. */
  readonly verified: string | null;
}

export interface TensorCounts extends LensCounts {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The counts of any set of weights. */
export interface LensCounts {
  readonly totals: Totals;
  readonly end: End;
  readonly probes: Probes;
  readonly histogram: HistogramJson;
  /** The causes of weight-steps that did not move the stored weight; null for recorded updates. */
  readonly causes: Readonly<Record<Cause, number>> | null;
  /** The same lens on the optimizer's moments; empty for recorded updates. */
  readonly moments: readonly MomentCounts[];
}

/** The updates of a moment, by class. */
export interface MomentCounts extends Readonly<Record<Class, number>> {
  readonly name: string;
}

/** Weight-steps by class. With n = none + lost + kept + moved + collateral: */
export interface UpdateCounts {
  readonly none: number;
  readonly lost: number;
  readonly kept: number;
  readonly moved: number;
  /** Where scales are shared: the number changed by a scale alone; else 0. */
  readonly collateral: number;
  readonly nonfinite: number;
  /** Weight-steps whose update was zero: none, and those of collateral. */
  readonly zeros: number;
  /** zeros / n */
  readonly realSparsity: number | null;
  /** (none + lost + kept) / n */
  readonly apparentSparsity: number | null;
  /** (lost + kept) / (n - zeros) */
  readonly hiddenShare: number | null;
  /** |u|, the root of the sum of u^2 over finite weight-steps. */
  readonly updateNorm: number;
  /** |e|, e = w' - w. */
  readonly effectiveNorm: number;
  /** <e, u> / <u, u> */
  readonly effectiveDescent: number | null;
  /** The sums behind the norms, exact: each is the sum of its numbers, so that counts can be merged. */
  readonly sums: {
    readonly updateSquared: readonly number[];
    readonly effectiveSquared: readonly number[];
    readonly product: readonly number[];
  };
  /** Codes and scales, where these are shared. */
  readonly shared?: SharedCounts;
}

export interface StepCounts extends UpdateCounts {
  /** As the recording numbers it. */
  readonly step: number;
  /** Weights whose stored bits differ from those of the first recipe; null where there is none to compare. */
  readonly parted: number | null;
}

export interface Totals extends UpdateCounts {
  /** Weights. */
  readonly elements: number;
  readonly steps: number;
  readonly castChanged: number;
}

/** The end of the run against its start, in weights; see EndTally. */
export interface End {
  readonly unchanged: number;
  readonly neverUpdated: number;
  readonly cancelled: number;
  readonly hidden: number;
  readonly returned: number;
  readonly nonfinite: number;
  /** Weights whose stored bits differ from those of the first recipe; null where there is none to compare. */
  readonly parted: number | null;
  /** <d, D> / <D, D>, d the displacement of the stored weights, D that of the fp32 counterfactual. */
  readonly visible: number | null;
  /** The same of weight plus carrier (Scheme.holds): 1 where no update is lost. */
  readonly retained: number | null;
  /** ||c - D|| / ||D||, c the displacement of weight plus carrier. */
  readonly noise: number | null;
  /** ||c - D|| / ||w||, w the weights as given. */
  readonly noiseToWeight: number | null;
  /** Exact, as those of steps. Of results of schema 1 the last three are null, and so is what is made of them. */
  readonly sums: {
    readonly displacementSquared: readonly number[];
    readonly product: readonly number[];
    readonly retainedProduct: readonly number[] | null;
    readonly noiseSquared: readonly number[] | null;
    readonly weightSquared: readonly number[] | null;
  };
  /** Codes and scales at the end against the start, where scales are shared. */
  readonly shared?: ChangedCounts;
}

/** All weights after a step against their start, counted as at the end. */
export interface CurvePoint extends End {
  /** As the recording numbers it. */
  readonly step: number;
  /** Weights. */
  readonly elements: number;
}

/** Published probes beside the exact test. Shares are of finite weights, or of updates other than zero. */
export interface Probes {
  readonly "path-not-taken": EndProbe;
  readonly "small-subnetworks": EndProbe;
  readonly "ulp-rule": {
    readonly lost: number;
    readonly share: number | null;
    /** Classified as lost, but the stored weight moved. */
    readonly lostButMoved: number;
    /** Classified as visible, but the stored weight did not move. */
    readonly visibleButUnmoved: number;
    /** Both, as a share of updates other than zero. */
    readonly disagreement: number | null;
  };
}

export interface EndProbe {
  readonly unchanged: number;
  readonly share: number | null;
  /** Classified as unchanged, but the stored bits differ. The reverse cannot happen. */
  readonly unchangedButDiffers: number;
}
