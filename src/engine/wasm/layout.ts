import { outermostBin } from "../../lens/histogram.js";
import type { MomentKind } from "../../lens/input.js";
import { blockLength, laneCount } from "../../lens/sum.js";
import { type Cause, causes } from "../../lens/tally.js";
import { momentNames } from "../../update/recipe/recipe-step.js";
import { momentCounts } from "../lane/recipe-step.js";
import { schemeOf, type WasmSettings } from "./admission.js";
import { sumBytes } from "./digits.js";
import { movesBytes } from "./kernel/moves.js";
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
  /** For shared scales: the largest magnitude of the fp32 run in each group of eight weights. */
  readonly magnitudes: number;
  /**
   * Flags of a comparison: whether the stored weight, and that of the fp32 counterfactual, equals the one at the
   * start.
   */
  readonly unchanged: number;
  readonly still: number;
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

/** Elements as fp32 numbers. The other rows have 32 bits for each group of eight weights, which is within one block. */
export interface SharedRows {
  readonly startElements: number;
  readonly elements: number;
  /** The scale of the block in fp32: before the first step, before this one, and after it. */
  readonly startScales: number;
  readonly before: number;
  readonly scales: number;
  /** The largest magnitude of the numbers to quantize in the block, from which its next scale is computed. */
  readonly largest: number;
  /** The block's index in the tensor; and -1 if the group is the first of its block, else 0. */
  readonly blocks: number;
  readonly firsts: number;
  /** For tensors with a scale: the largest magnitude before the step, and after it. */
  readonly tensor: number;
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
  blocks: 64,
  blockScales: 72,
  clipped: 80,
  flushed: 88,
  updateSquared: 96,
  effectiveSquared: 96 + sumBytes,
  product: 96 + 2 * sumBytes,
  bytes: 96 + 3 * sumBytes,
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
  blocks: 72,
  blockScales: 80,
  displacementSquared: 88,
  product: 88 + sumBytes,
  retainedProduct: 88 + 2 * sumBytes,
  noiseSquared: 88 + 3 * sumBytes,
  weightSquared: 88 + 4 * sumBytes,
  bytes: 88 + 5 * sumBytes,
} as const;

const bins = 2 * (outermostBin + 1);

/**
 * Weight-steps by bin, class and ulp rule: 32-bit counts. Index 0 counts updates of zero. Neighbours count in
 * different copies of the table, so that those in the same bin do not wait for each other; offsets in a copy have
 * 16 bits.
 */
export const histogramTable = {
  /** Bytes per bin: 8 kinds. Both moved and kept means neither: only the scale changed the number. */
  binBytes: 32,
  movedKind: 4,
  keptKind: 8,
  ruleKind: 16,
  /** The difference of the exponent fields of update and ulp's binade is at least 1 - `lowest`. */
  lowest: outermostBin + 1,
  copies: 4,
  copyBytes: 32 * bins,
} as const;

/** Bytes of the intermediate results of one block. */
const scratchBytes = {
  /** A vector of counts; whole cache lines. */
  counts: 64,
  /** Places in the histogram, 16 bits each. */
  places: 2 * blockLength,
  /** The groups that moved. */
  moves: (blockLength / laneCount) * movesBytes,
  /** For one group, the five numbers of each weight that a comparison sums. */
  numbers: 5 * 4 * laneCount,
};

export const scratchLayout = {
  counts: 0,
  places: scratchBytes.counts,
  moves: scratchBytes.counts + scratchBytes.places,
  numbers: scratchBytes.counts + scratchBytes.places + scratchBytes.moves,
  bytes: Object.values(scratchBytes).reduce((sum, bytes) => sum + bytes, 0),
};

/**
 * @param tallied the numbers of steps and milestones with their own tally.
 * @param synthetic the bytes of tables, whether updates are simulated, and the sizes for products.
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
  // Groups are processed four at a time: the last four may be incomplete.
  const groups = () => take(chunk / 2 + 16);
  const places = {
    chunk,
    codes: row(),
    updates: row(),
    given: row(),
    now: row(),
    updated: flags(),
    magnitudes: cases.some(({ blocks }) => blocks) ? groups() : 0,
    // With a word after the last group.
    unchanged: take(chunk / 8 + 8),
    still: flags(),
    scratch: take(scratchLayout.bytes),
    constants: take(synthetic.constantBytes),
    simulation: synthetic.simulates ? { m: row(), v: row(), signal: row() } : null,
    moments: cases.some(({ recipe }) => recipe) ? { M: row(), V: row() } : null,
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
      shared: settings.blocks
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
      histogram: take(histogramTable.copies * histogramTable.copyBytes),
      recipe: take(settings.recipe ? recipeTally.bytes : 0),
      curve: take(tallied.milestones * tensorTally.bytes),
      steps: take(tallied.steps * stepTally.bytes),
    })),
  };
  return { ...places, bytes };
}

function statesOf(settings: WasmSettings, row: () => number): Pick<CaseLayout, "carriers" | "states"> {
  if (!settings.recipe) {
    return { carriers: schemeOf(settings).carrier === null ? null : row(), states: {} };
  }
  const { moments, carriers } = settings.recipe;
  const names = [...momentNames(moments), ...carriers.map(({ name }) => name)];
  const states = Object.fromEntries(names.map((name) => [name, row()]));
  return { carriers: carriers.length === 0 ? null : states[carriers[0].name], states };
}
