import { outermostBin } from "../../lens/histogram.js";
import type { MomentKind } from "../../lens/input.js";
import { type Cause, causes } from "../../lens/tally.js";
import { sharesScales } from "../../update/block-settings.js";
import { momentNames } from "../../update/recipe/recipe-step.js";
import { schemes } from "../../update/scheme.js";
import { momentCounts } from "../lane/recipe-step.js";
import type { LaneSettings } from "../lane/refusal.js";
import { sumBytes } from "./digits.js";
import { productColumns } from "./kernel/product.js";

/**
 * The memory layout of one worker, in bytes from its base. Rows of numbers are fp32; a row of flags has one bit per
 * weight. All rows have room for `chunk` weights.
 */
export interface Layout {
  /** Weights processed at once: a multiple of blockLength. */
  readonly chunk: number;
  /** Codes read from a file, before they are decoded to `given` or `updates`. */
  readonly codes: number;
  readonly updates: number;
  /** The fp32 counterfactual: given weights, current weights, and flags of nonzero updates. */
  readonly given: number;
  readonly now: number;
  readonly updated: number;
  readonly scratch: number;
  /** Tables read by the kernels of synthetic numbers. */
  readonly constants: number;
  readonly simulation: SimulationRows | null;
  /** For recipes: the moments of the fp32 run. */
  readonly moments: Readonly<Record<MomentKind, number>> | null;
  readonly product: ProductLayout | null;
  readonly cases: readonly CaseLayout[];
  /** The total size. */
  readonly bytes: number;
}

/** The state of a simulated optimizer: moments, and the constant part of the gradient. */
export interface SimulationRows {
  readonly m: number;
  readonly v: number;
  readonly signal: number;
}

/** The sizes of the factors of products, in fp64 numbers. */
export interface ProductRows {
  readonly right: number;
  readonly left: number;
}

/** The factors of products; the result row, whose last group may extend beyond a chunk; and the scale. */
export interface ProductLayout {
  readonly right: number;
  readonly left: number;
  readonly into: number;
  readonly scale: number;
}

export interface CaseLayout {
  /** The stored weights before the first step, and the current ones. */
  readonly start: number;
  readonly weights: number;
  readonly carriers: number | null;
  /** For recipes: all states besides the weight, including carriers, by name. */
  readonly states: Readonly<Record<string, number>>;
  /** For shared scales. */
  readonly shared: SharedRows | null;
  readonly moved: number;
  readonly nonfinite: number;
  readonly tally: number;
  readonly histogram: number;
  /** {@link recipeTally}. */
  readonly recipe: number;
  /** One {@link tensorTally} for each milestone. */
  readonly curve: number;
  /** One {@link stepTally} for each step. */
  readonly steps: number;
}

/** Elements as fp32 numbers, and the code of a scale in 32 bits for each block; before the first step, and as they are. */
export interface SharedRows {
  readonly startElements: number;
  readonly elements: number;
  readonly startScales: number;
  readonly scales: number;
}

/** The tally of a step: 64-bit counts, then sums. */
export const stepTally = {
  zero: 0,
  moved: 8,
  kept: 16,
  nonfinite: 24,
  parted: 32,
  /** For shared scales: see UpdateTally and SharedCounts. */
  collateral: 40,
  collateralZeros: 48,
  codes: 56,
  blockScales: 64,
  clipped: 72,
  flushed: 80,
  updateSquared: 88,
  effectiveSquared: 88 + sumBytes,
  product: 88 + 2 * sumBytes,
  bytes: 88 + 3 * sumBytes,
} as const;

/** The tally of a case with a recipe: 64-bit counts of causes, then of the first and the second moment. */
export const recipeTally = {
  cause: (name: Cause) => 8 * causes.indexOf(name),
  moment: (moment: number, name: (typeof momentCounts)[number]) =>
    8 * (causes.length + moment * momentCounts.length + momentCounts.indexOf(name)),
  bytes: 8 * (causes.length + 2 * momentCounts.length),
} as const;

/** The tally of a tensor besides its steps and histogram; at a milestone, the counts of `end`. */
export const tensorTally = {
  castChanged: 0,
  unchanged: 8,
  /** Unchanged here and in the fp32 counterfactual. */
  still: 16,
  neverUpdated: 24,
  returned: 32,
  nonfinite: 40,
  pathNotTaken: 48,
  smallSubnetworks: 56,
  /** For shared scales. */
  codes: 64,
  blockScales: 72,
  displacementSquared: 80,
  product: 80 + sumBytes,
  retainedProduct: 80 + 2 * sumBytes,
  noiseSquared: 80 + 3 * sumBytes,
  weightSquared: 80 + 4 * sumBytes,
  bytes: 80 + 5 * sumBytes,
} as const;

/**
 * Weight-steps by bin, class and ulp rule: 32-bit counts, in four copies, one for each lane of a vector, so that
 * neighbours in the same bin do not wait for each other. Place 0 takes updates of zero.
 */
export const histogramTable = {
  /** Bytes of a bin: 8 kinds of 4 lanes. Moved and kept is neither: the number changed by a scale alone. */
  binBytes: 128,
  movedKind: 16,
  keptKind: 32,
  ruleKind: 64,
  /** Exponent fields of the update and of the gap's binade differ by at least this much less one, negative. */
  lowest: outermostBin + 1,
  bins: 2 * (outermostBin + 1),
} as const;

/** Lanes of the sums of a block, and places in the histogram of one vector. */
export const scratchLayout = { effectiveSquared: 0, product: 64, places: 128, bytes: 192 } as const;

/**
 * @param tallied the numbers of steps and milestones with their own tally.
 * @param synthetic the bytes of tables, whether updates are simulated, and the sizes for products.
 */
export function layOut(
  cases: readonly LaneSettings[],
  chunk: number,
  tallied: { readonly steps: number; readonly milestones: number },
  synthetic: {
    readonly constantBytes: number;
    readonly simulates: boolean;
    readonly product?: ProductRows | null;
  } = { constantBytes: 0, simulates: false },
): Layout {
  let bytes = 0;
  const take = (length: number) => {
    const offset = bytes;
    // Whole cache lines.
    bytes += Math.ceil(length / 64) * 64;
    return offset;
  };
  const row = () => take(4 * chunk);
  const flags = () => take(chunk / 8);
  const places = {
    chunk,
    codes: row(),
    updates: row(),
    given: row(),
    now: row(),
    updated: flags(),
    scratch: take(scratchLayout.bytes),
    constants: take(synthetic.constantBytes),
    simulation: synthetic.simulates ? { m: row(), v: row(), signal: row() } : null,
    moments: cases.some((settings) => "recipe" in settings) ? { M: row(), V: row() } : null,
    product: synthetic.product
      ? {
          right: take(8 * synthetic.product.right),
          left: take(8 * synthetic.product.left),
          into: take(4 * (chunk + productColumns)),
          scale: take(8),
        }
      : null,
    cases: cases.map((settings) => ({
      start: row(),
      weights: row(),
      ...statesOf(settings, row),
      // 32 bits for each of 32 weights are a bit a weight.
      shared: sharesScales(settings)
        ? { startElements: row(), elements: row(), startScales: flags(), scales: flags() }
        : null,
      moved: flags(),
      nonfinite: flags(),
      tally: take(tensorTally.bytes),
      histogram: take(histogramTable.bins * histogramTable.binBytes),
      recipe: take("recipe" in settings ? recipeTally.bytes : 0),
      curve: take(tallied.milestones * tensorTally.bytes),
      steps: take(tallied.steps * stepTally.bytes),
    })),
  };
  return { ...places, bytes };
}

function statesOf(settings: LaneSettings, row: () => number): Pick<CaseLayout, "carriers" | "states"> {
  if (!("recipe" in settings)) {
    return { carriers: schemes[settings.scheme].carrier === null ? null : row(), states: {} };
  }
  const { moments, carriers } = settings.recipe;
  const names = [...momentNames(moments), ...carriers.map(({ name }) => name)];
  const states = Object.fromEntries(names.map((name) => [name, row()]));
  return { carriers: carriers.length === 0 ? null : states[carriers[0].name], states };
}
