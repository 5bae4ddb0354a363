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
  /** The answers where all that chance leaves open is so; absent where it leaves nothing open. */
  readonly perhaps?: SweepAnswers;
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

type Shares = Pick<SweepResult["settings"], "learns" | "keeps">;

/** The conclusions of a sweep: what its numbers tell, and what they leave open. Rates of cells ascend. */
export function sweepAnswers(
  cells: readonly SweepCell[],
  shares: Shares,
): Pick<SweepResult, "answers" | "perhaps"> {
  const isOpen = (cell: SweepCell) =>
    [shares.learns, shares.keeps].some((share) => retains(cell, share) === null);
  return {
    answers: answersBy(cells, shares, (told) => told === true),
    ...(cells.some(isOpen) && { perhaps: answersBy(cells, shares, (told) => told !== false) }),
  };
}

function answersBy(
  cells: readonly SweepCell[],
  { learns, keeps }: Shares,
  accepts: (told: boolean | null) => boolean,
): SweepAnswers {
  const rates = [...new Set(cells.map(({ rate }) => rate))];
  const first = cells.filter(({ rate }) => rate === rates[0]);
  const from = (sweepCase: SweepCase, share: number) => {
    const own = cells.filter((cell) => sameCase(cell, sweepCase));
    return own[own.findLastIndex((cell) => !accepts(retains(cell, share))) + 1]?.rate ?? null;
  };
  return {
    cases: first.map((sweepCase) => ({
      ...caseOf(sweepCase),
      bitsPerWeight: bitsPerWeight(sweepCase),
      learnsFrom: from(sweepCase, learns),
      keepsFrom: from(sweepCase, keeps),
    })),
    cheapest: rates.map((rate) => {
      const keeping = cells.filter((cell) => cell.rate === rate && accepts(retains(cell, keeps)));
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

/** Standard errors that chance is given. */
const allowed = 3;

/**
 * Whether a cell retains at least this share, and at most as far above 1; null where that cannot be told, because chance takes
 * what it retains to either side of a limit. A model with a weight that is NaN or Inf has no use for what the others retain.
 */
export function retains(
  { end: { retained, nonfinite }, standardError }: Pick<SweepCell, "end" | "standardError">,
  share: number,
): boolean | null {
  if (nonfinite > 0 || retained === null) return false;
  const chance = allowed * (standardError ?? 0);
  const [low, high] = [retained - chance, retained + chance];
  if (low >= share && high <= 2 - share) return true;
  return high < share || low > 2 - share ? false : null;
}

export function caseOf(sweepCase: SweepCase): SweepCase {
  const { format, scheme, rounding, opmath } = sweepCase;
  return { format, scheme, rounding, opmath, ...sharedIdentityOf(sweepCase) };
}

export function sameCase(a: SweepCase, b: SweepCase): boolean {
  const names = ["format", "scheme", "rounding", "opmath", ...sharedNames] as const;
  return names.every((name) => a[name] === b[name]);
}
