import type { DifferenceCounts } from "../lens/difference/difference-result.js";
import { count, percent, share, short } from "./numbers.js";

/** What a row of a comparison's tables has, in Markdown and in the report. */
export const differenceHeadings = [
  "weights",
  "unchanged",
  "hidden",
  "real",
  "real at most",
  "path-not-taken",
  "small-subnetworks",
  "sign flips",
  "nonfinite",
  "norm of the change",
];

export function differenceCells(counts: DifferenceCounts): string[] {
  return [
    count(counts.elements),
    percent(counts.apparentSparsity),
    percent(hiddenShare(counts)),
    percent(counts.realSparsity),
    percent(counts.realSparsityAtMost),
    percent(counts.probes["path-not-taken"].share),
    percent(counts.probes["small-subnetworks"].share),
    count(counts.signFlips),
    count(counts.nonfinite),
    short(counts.displacementNorm),
  ];
}

/** Of the finite weights, those that are unchanged as compared and differ in the files; null where that is unknown. */
export function hiddenShare({ hidden, elements, nonfinite }: DifferenceCounts): number | null {
  return hidden === null ? null : share(hidden, elements - nonfinite);
}
