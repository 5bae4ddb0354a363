import { format } from "../format/registry.js";
import { type SchemeName, schemes } from "../update/scheme.js";
import type { SkippedTensor } from "./input.js";
import type { Case, End, Probes, Result, ResultEngine, ResultInput, Totals } from "./result.js";

/** A grid of formats, schemes and roundings over several rates, `precision-lens-sweep/1`. */
export interface SweepResult {
  readonly schema: "precision-lens-sweep/1";
  readonly tool: { readonly name: string; readonly version: string };
  readonly input: Omit<ResultInput, "metadata">;
  readonly settings: {
    readonly overflow: string;
    readonly seed: number;
    readonly strict: boolean;
    /** What a rate is: a learning rate, or what recorded updates are multiplied by. */
    readonly rate: "lr" | "scale";
    /**
     * Least effective descent over the run of a case that still learns, and of one that keeps what it is given. As far
     * above 1 is the limit on the other side: what is beyond is the noise of coarse storage, not learning.
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
  readonly skipped: readonly SkippedTensor[];
}

/** What tells a case of a sweep from the others. */
export type SweepCase = Pick<Case, "format" | "scheme" | "rounding" | "opmath">;

export interface SweepCell extends SweepCase {
  readonly rate: number;
  readonly totals: Totals;
  readonly end: End;
  readonly probes: Probes;
}

export interface SweepAnswers {
  /** The smallest rate from which on a case learns, at every rate of the sweep that is not smaller; null if none. */
  readonly learnsFrom: readonly (SweepCase & {
    readonly bitsPerWeight: number;
    readonly rate: number | null;
  })[];
  /** For each rate the case that takes the fewest bits per weight of those that keep their updates; null if none. */
  readonly cheapest: readonly {
    readonly rate: number;
    readonly case: (SweepCase & { readonly bitsPerWeight: number; readonly effectiveDescent: number }) | null;
  }[];
}

/** Bits that a weight and its carrier take. Moments, which every case has, are not counted. */
export function bitsPerWeight({ format: name, scheme }: Pick<Case, "format" | "scheme">): number {
  const { bits } = format(name);
  if (schemes[scheme as SchemeName].carrier === null) return bits;
  return scheme === "master" ? bits + 32 : 2 * bits;
}

/** The cells of one rate. */
export function sweepCells({ cases }: Pick<Result, "cases">, rate: number): SweepCell[] {
  return cases.map(({ format, scheme, rounding, opmath, totals, end, probes }) => ({
    rate,
    format,
    scheme,
    rounding,
    opmath,
    totals,
    end,
    probes,
  }));
}

/** What people want to know of a sweep. Rates of cells ascend. */
export function sweepAnswers(
  cells: readonly SweepCell[],
  { learns, keeps }: Pick<SweepResult["settings"], "learns" | "keeps">,
): SweepAnswers {
  const rates = [...new Set(cells.map(({ rate }) => rate))];
  const first = cells.filter(({ rate }) => rate === rates[0]);
  return {
    learnsFrom: first.map((of) => {
      const own = cells.filter((cell) => sameCase(cell, of));
      const last = own.findLastIndex((cell) => !within(cell, learns));
      return { ...caseOf(of), bitsPerWeight: bitsPerWeight(of), rate: own[last + 1]?.rate ?? null };
    }),
    cheapest: rates.map((rate) => {
      const keeping = cells.filter((cell) => cell.rate === rate && within(cell, keeps));
      // Of equal bits, the first of the grid.
      const [cheapest] = keeping.sort((a, b) => bitsPerWeight(a) - bitsPerWeight(b));
      if (cheapest === undefined) return { rate, case: null };
      const bits = bitsPerWeight(cheapest);
      return {
        rate,
        case: { ...caseOf(cheapest), bitsPerWeight: bits, effectiveDescent: cheapest.end.effectiveDescent! },
      };
    }),
  };
}

/** Whether the effective descent of a cell lies between a share and as far above 1. */
function within({ end }: SweepCell, share: number): boolean {
  const descent = end.effectiveDescent;
  return descent !== null && descent >= share && descent <= 2 - share;
}

export function caseOf({ format, scheme, rounding, opmath }: SweepCase): SweepCase {
  return { format, scheme, rounding, opmath };
}

export function sameCase(a: SweepCase, b: SweepCase): boolean {
  return a.format === b.format && a.scheme === b.scheme && a.rounding === b.rounding && a.opmath === b.opmath;
}
