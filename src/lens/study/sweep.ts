import { type BlockFormat, blockFormat, isBlockFormat } from "../../format/block/block-format.js";
import { format } from "../../format/registry.js";
import { type SchemeName, schemes } from "../../update/scheme.js";
import type { CastWithoutScale } from "../cast.js";
import type { SkippedTensor } from "../input.js";
import type { Case, End, Probes, TensorCounts, Totals } from "../run/case.js";
import { noiseError } from "../run/noise-error.js";
import type { ResultEngine, ResultInput } from "../run/result.js";
import { sharedIdentityOf, sharedNames } from "../run/summarize.js";
import type { Part } from "../shard/part.js";
import { samplingOf } from "./sampling.js";

/** A grid of formats, schemes and roundings over several rates, `precision-lens-sweep/2`. */
export interface SweepResult {
  readonly schema: "precision-lens-sweep/2";
  readonly tool: { readonly name: string; readonly version: string };
  readonly input: Omit<ResultInput, "metadata">;
  readonly settings: {
    readonly overflow: string;
    readonly seed: number;
    readonly strict: boolean;
    /** The meaning of a rate: a learning rate, or a factor for recorded updates. */
    readonly rate: "lr" | "scale";
    /**
     * Least share of the fp32 displacement that a case retains (`end.retained`) to be said to learn, and to
     * keep its updates. The same distance above 1 is the upper limit, beyond which a bias of the rounding or
     * chance is at work.
     */
    readonly learns: number;
    readonly keeps: number;
  };
  readonly engine: ResultEngine;
  /** Ascending. */
  readonly rates: readonly number[];
  /** Every case at every rate, rate by rate. */
  readonly cells: readonly SweepCell[];
  readonly answers: SweepAnswers;
  /** Of the weights at their start, in formats that usually have scales. Absent where no case has such a format. */
  readonly casts?: readonly CastWithoutScale[];
  /** Of a shard, and of several merged. Absent for a whole. */
  readonly part?: SweepPart;
  readonly skipped: readonly SkippedTensor[];
}

/** A part of a sweep; for a sampled model with the tensors of each cell, for error estimates. */
export interface SweepPart extends Part {
  readonly cells?: readonly (readonly TensorCounts[])[];
}

/** The fields that identify a case of a sweep. */
export type SweepCase = Pick<
  Case,
  "format" | "scheme" | "rounding" | "opmath" | "through" | "scales" | "momentum"
>;

export interface SweepCell extends SweepCase {
  readonly rate: number;
  readonly totals: Totals;
  readonly end: End;
  readonly probes: Probes;
  /**
   * Of `end.retained`, by the noise of stochastic rounding and, where a sample of a model was counted, by what was drawn; null
   * where there is neither.
   */
  readonly standardError: number | null;
}

/** What a cell is made of. */
export type SweepCounts = SweepCase & Pick<Case, "totals" | "end" | "probes" | "tensors">;

export interface SweepAnswers {
  /** In the order of the grid. */
  readonly cases: readonly CaseAnswer[];
  /** For each rate the case that takes the fewest bits per weight of those that keep their updates; null if none. */
  readonly cheapest: readonly {
    readonly rate: number;
    readonly case:
      | (SweepCase & Pick<End, "retained" | "noise" | "noiseToWeight"> & { readonly bitsPerWeight: number })
      | null;
  }[];
}

/** The smallest rates from which on a case learns, and keeps its updates, at all rates of the sweep; null if none. */
export interface CaseAnswer extends SweepCase {
  readonly bitsPerWeight: number;
  readonly learnsFrom: number | null;
  readonly keepsFrom: number | null;
}

/**
 * Bits that a weight and its carrier take, with its share of the scale of a whole block. Moments, which every case has, and
 * scales of tensors are not counted.
 */
export function bitsPerWeight({ format: name, scheme }: Pick<Case, "format" | "scheme">): number {
  const bits = isBlockFormat(name) ? blockBits(blockFormat(name)) : format(name).bits;
  if (!hasCarrier(scheme)) return bits;
  return scheme === "master" ? bits + 32 : 2 * bits;
}

/** Whether a scheme keeps anything beside the weight; the momentum of `eco` is there without it. */
function hasCarrier(scheme: string): boolean {
  return scheme !== "eco" && schemes[scheme as SchemeName].carrier !== null;
}

function blockBits({ element, scale, rows, columns }: BlockFormat): number {
  return element.bits + scale.bits / (rows * columns);
}

/**
 * The cells of one rate.
 *
 * @param sizes of a sample: elements of each tensor in the whole.
 */
export function sweepCells(
  { cases }: { readonly cases: readonly SweepCounts[] },
  rate: number,
  sizes: readonly number[] | null = null,
): SweepCell[] {
  const sampling = sizes && samplingOf(cases, sizes);
  return cases.map((sweepCase, i) => {
    const { totals, end, probes } = sweepCase;
    const noise = noiseError(end.noise, sweepCase.rounding, totals.elements);
    const drawn = sampling?.cases[i].retained?.standardError ?? null;
    // The scatter between tensors includes the noise.
    const known = noise === null && drawn === null ? null : Math.max(noise ?? 0, drawn ?? 0);
    return { rate, ...caseOf(sweepCase), totals, end, probes, standardError: known };
  });
}

/** The conclusions of a sweep. Rates of cells ascend. */
export function sweepAnswers(
  cells: readonly SweepCell[],
  settings: Pick<SweepResult["settings"], "learns" | "keeps">,
): SweepAnswers {
  const rates = [...new Set(cells.map(({ rate }) => rate))];
  const first = cells.filter(({ rate }) => rate === rates[0]);
  const from = (sweepCase: SweepCase, test: typeof learns) => {
    const own = cells.filter((cell) => sameCase(cell, sweepCase));
    return own[own.findLastIndex((cell) => !test(cell, settings)) + 1]?.rate ?? null;
  };
  return {
    cases: first.map((sweepCase) => ({
      ...caseOf(sweepCase),
      bitsPerWeight: bitsPerWeight(sweepCase),
      learnsFrom: from(sweepCase, learns),
      keepsFrom: from(sweepCase, keeps),
    })),
    cheapest: rates.map((rate) => {
      const keeping = cells.filter((cell) => cell.rate === rate && keeps(cell, settings));
      // Of equal bits, the first of the grid.
      const [cheapest] = keeping.sort((a, b) => bitsPerWeight(a) - bitsPerWeight(b));
      if (cheapest === undefined) return { rate, case: null };
      const { retained, noise, noiseToWeight } = cheapest.end;
      const bits = bitsPerWeight(cheapest);
      return {
        rate,
        case: { ...caseOf(cheapest), bitsPerWeight: bits, retained, noise, noiseToWeight },
      };
    }),
  };
}

type Shares = Pick<SweepResult["settings"], "learns" | "keeps">;

function learns(cell: SweepCell, { learns: share }: Shares): boolean {
  return within(cell, share) && isTold(cell, share);
}

/** Whether a case keeps its updates, within the sampling error. */
function keeps(cell: SweepCell, { learns: share, keeps }: Shares): boolean {
  return within(cell, keeps) && isTold(cell, share);
}

/** Standard errors that chance is given. */
const allowed = 3;

/**
 * Whether what a cell retains lies between a share and as far above 1, but for chance. A model with a weight that is NaN or Inf
 * has no use for what the others retain.
 */
function within({ end: { retained, nonfinite }, standardError }: SweepCell, share: number): boolean {
  const chance = allowed * (standardError ?? 0);
  return nonfinite === 0 && retained !== null && retained >= share - chance && retained <= 2 - share + chance;
}

/** Whether the error of `retained` is small enough to distinguish learning from not learning. */
export function isTold({ standardError }: Pick<SweepCell, "standardError">, learns: number): boolean {
  return allowed * (standardError ?? 0) <= 1 - learns;
}

export function caseOf(sweepCase: SweepCase): SweepCase {
  const { format, scheme, rounding, opmath } = sweepCase;
  return { format, scheme, rounding, opmath, ...sharedIdentityOf(sweepCase) };
}

export function sameCase(a: SweepCase, b: SweepCase): boolean {
  const names = ["format", "scheme", "rounding", "opmath", ...sharedNames] as const;
  return names.every((name) => a[name] === b[name]);
}
