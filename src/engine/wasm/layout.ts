import { outermostBin } from "../../lens/histogram.js";
import type { MomentKind } from "../../lens/input.js";
import { type Cause, causes } from "../../lens/tally.js";
import { sharesScales } from "../../update/block-settings.js";
import { momentNames } from "../../update/recipe/recipe-step.js";
import { momentCounts } from "../lane/recipe-step.js";
import { schemeOf, type WasmSettings } from "./admission.js";
import { sumBytes } from "./digits.js";
import { productColumns } from "./kernel/product.js";

/**
 * Where everything lies in the memory of one worker, in bytes from its base. Rows of numbers are fp32; a row of flags
 * has a bit a weight. All rows have room for `chunk` weights.
 */
export interface Layout {
  /** Weights that are worked on at once: a multiple of blockLength. */
  readonly chunk: number;
  /** Codes on their way from a file to `given` or `updates`. */
  readonly codes: number;
  readonly updates: number;
  /** The fp32 counterfactual: weights as given, weights now, and whether an update was not zero. */
  readonly given: number;
  readonly now: number;
  readonly updated: number;
  /** Where scales are shared: of each group of eight weights, the largest magnitude in the fp32 run. */
  readonly magnitudes: number;
  readonly scratch: number;
  /** Tables that kernels of synthetic numbers read. */
  readonly constants: number;
  readonly simulation: SimulationRows | null;
  /** Of jobs by recipes: the moments of the fp32 run. */
  readonly moments: Readonly<Record<MomentKind, number>> | null;
  readonly product: ProductLayout | null;
  readonly cases: readonly CaseLayout[];
  /** Of the whole. */
  readonly bytes: number;
}

/** What a simulated optimizer keeps of each weight: its moments, and the part of the gradient that stays. */
export interface SimulationRows {
  readonly m: number;
  readonly v: number;
  readonly signal: number;
}

/** Room for the factors of products, in fp64 numbers. */
export interface ProductRows {
  readonly right: number;
  readonly left: number;
}

/** The factors of products; where a row of them is put, whose last group may be longer than a chunk; and the scale. */
export interface ProductLayout {
  readonly right: number;
  readonly left: number;
  readonly into: number;
  readonly scale: number;
}

export interface CaseLayout {
  /** Stored weights before the first step, and as they are. */
  readonly start: number;
  readonly weights: number;
  readonly carriers: number | null;
  /** Of a recipe: all that it keeps of a weight beside the weight itself, carriers included, by name. */
  readonly states: Readonly<Record<string, number>>;
  /** Where scales are shared. */
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

/** Elements as fp32 numbers. Of each group of eight weights, which is in one block, 32 bits: the other rows. */
export interface SharedRows {
  readonly startElements: number;
  readonly elements: number;
  /** The scale of the block, an fp32 number: before the first step, before this one, and as it is. */
  readonly startScales: number;
  readonly before: number;
  readonly scales: number;
  /** The largest magnitude of what is quantized in the block, from which its next scale is made. */
  readonly largest: number;
  /** Its number in the tensor, and -1 where the group is the first of it, else 0. */
  readonly blocks: number;
  readonly firsts: number;
  /** Where the tensor has a scale, its largest magnitude before the step, and after it. */
  readonly tensor: number;
}

/** What is counted of a step: 64-bit counts, then sums. */
export const stepTally = {
  zero: 0,
  moved: 8,
  kept: 16,
  nonfinite: 24,
  parted: 32,
  /** Where scales are shared: see UpdateTally and SharedCounts. */
  collateral: 40,
  collateralZeros: 48,
  codes: 56,
  blocks: 64,
  blockScales: 72,
  clipped: 80,
  flushed: 88,
  updateSquared: 96,
  effectiveSquared: 96 + sumBytes,
  product: 96 + 2 * sumBytes,
  bytes: 96 + 3 * sumBytes,
} as const;

/** What is counted of a case by a recipe: 64-bit counts of causes, and then of the first moment and the second. */
export const recipeTally = {
  cause: (name: Cause) => 8 * causes.indexOf(name),
  moment: (moment: number, name: (typeof momentCounts)[number]) =>
    8 * (causes.length + moment * momentCounts.length + momentCounts.indexOf(name)),
  bytes: 8 * (causes.length + 2 * momentCounts.length),
} as const;

/** What is counted of a tensor, besides its steps and its histogram; and at a milestone, what `end` counts. */
export const tensorTally = {
  castChanged: 0,
  unchanged: 8,
  /** Unchanged, and the fp32 counterfactual too. */
  still: 16,
  neverUpdated: 24,
  returned: 32,
  nonfinite: 40,
  pathNotTaken: 48,
  smallSubnetworks: 56,
  /** Where scales are shared. */
  codes: 64,
  blocks: 72,
  blockScales: 80,
  displacementSquared: 88,
  product: 88 + sumBytes,
  retainedProduct: 88 + 2 * sumBytes,
  noiseSquared: 88 + 3 * sumBytes,
  weightSquared: 88 + 4 * sumBytes,
  bytes: 88 + 5 * sumBytes,
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
 * @param tallied how many steps and milestones have a tally of their own.
 * @param synthetic bytes of tables, whether updates are simulated, and what those need that are products.
 */
export function layOut(
  cases: readonly WasmSettings[],
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
  // Groups are taken four at a time: the last ones may not be whole.
  const groups = () => take(chunk / 2 + 16);
  const places = {
    chunk,
    codes: row(),
    updates: row(),
    given: row(),
    now: row(),
    updated: flags(),
    magnitudes: cases.some(sharesScales) ? groups() : 0,
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
      shared: sharesScales(settings)
        ? {
            startElements: row(),
            elements: row(),
            startScales: groups(),
            before: groups(),
            scales: groups(),
            largest: groups(),
            blocks: groups(),
            firsts: groups(),
            tensor: take(8),
          }
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

function statesOf(settings: WasmSettings, row: () => number): Pick<CaseLayout, "carriers" | "states"> {
  if (!("recipe" in settings)) {
    return { carriers: schemeOf(settings).carrier === null ? null : row(), states: {} };
  }
  const { moments, carriers } = settings.recipe;
  const names = [...momentNames(moments), ...carriers.map(({ name }) => name)];
  const states = Object.fromEntries(names.map((name) => [name, row()]));
  return { carriers: carriers.length === 0 ? null : states[carriers[0].name], states };
}
