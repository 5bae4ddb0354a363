import { noiseError } from "./noise-error.js";
import type { Result } from "./result.js";

/** The updates that a run keeps with its storage. */
export type Verdict =
  /** The fp32 displacement, to within 1 %. */
  | "keeps"
  /** The same with the noise of stochastic rounding. */
  | "keeps-on-average"
  | "loses"
  /** More than the fp32 displacement: a bias away from the start. */
  | "overshoots"
  /** An fp32 run would have stayed where it was; or the finite weights keep theirs, but others are NaN or Inf. */
  | "unknown";

export interface Check extends Pick<Result, "tool" | "input" | "engine" | "skipped"> {
  readonly schema: "precision-lens-check/1";
  readonly format: string;
  readonly scheme: string;
  readonly rounding: string;
  readonly verdict: Verdict;
  /** See `end` of a result. */
  readonly retained: number | null;
  readonly visible: number | null;
  readonly noise: number | null;
  readonly noiseToWeight: number | null;
  /** Weights that were or became NaN or Inf; the ratios are of the others. Not in results of earlier releases. */
  readonly nonfinite?: number;
  /** 1 - retained. */
  readonly lost: number | null;
  /** Of the updates that were not zero, the shares that left no trace, are in a carrier, and changed the stored bits. */
  readonly updates: {
    readonly lost: number | null;
    readonly kept: number | null;
    readonly moved: number | null;
  };
  /** The allowed loss, if given. */
  readonly failAbove: number | null;
  readonly failed: boolean;
}

/** The tolerance that counts as keeping everything; shared with the headline and `sweep`. */
export const tolerance = 0.01;

/** @param result of one case. */
export function checkOf(result: Result, failAbove: number | null): Check {
  const { tool, input, engine, skipped } = result;
  const [{ format, scheme, rounding, totals, end }] = result.cases;
  const { retained, visible, noise, noiseToWeight, nonfinite } = end;
  const { lost, kept, moved } = totals;
  const updated = lost + kept + moved;
  const shareOf = (part: number) => (updated === 0 ? null : part / updated);
  const missing = retained === null ? null : 1 - retained;
  return {
    schema: "precision-lens-check/1",
    tool,
    input,
    engine,
    format,
    scheme,
    rounding,
    verdict: verdictOf(missing, noise, rounding, totals.elements, nonfinite),
    ...{ retained, visible, noise, noiseToWeight, nonfinite },
    lost: missing,
    updates: { lost: shareOf(lost), kept: shareOf(kept), moved: shareOf(moved) },
    failAbove,
    // A weight that is NaN holds none of its updates, whatever the others retain.
    failed: failAbove !== null && (missing === null || missing > failAbove || nonfinite > 0),
    skipped,
  };
}

/** Whether chance decides what weight and carrier hold: under stochastic rounding, except with a master, which is not rounded so. */
export function isNoisy(rounding: string, noise: number | null): boolean {
  return rounding === "stochastic" && noise !== 0;
}

/**
 * @param lost 1 - retained of the finite weights; null where nothing is known of it.
 * @param nonfinite how many of the weights were or became NaN or Inf.
 */
export function verdictOf(
  lost: number | null,
  noise: number | null,
  rounding: string,
  weights: number,
  nonfinite: number,
): Verdict {
  if (lost === null) return "unknown";
  const within = tolerance + 3 * (noiseError(noise, rounding, weights) ?? 0);
  if (Math.abs(lost) <= within) {
    if (nonfinite > 0) return "unknown";
    return isNoisy(rounding, noise) ? "keeps-on-average" : "keeps";
  }
  return lost > 0 ? "loses" : "overshoots";
}
