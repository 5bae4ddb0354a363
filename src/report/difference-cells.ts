import type { DifferenceCounts } from "../lens/difference/difference-result.js";
import { cellAtMost, count, percent, share, short } from "./numbers.js";

/** The columns of a comparison's tables, in Markdown and on a page. */
export const differenceColumns: readonly (readonly [string, (counts: DifferenceCounts) => string])[] = [
  ["weights", ({ elements }) => count(elements)],
  ["unchanged", ({ apparentSparsity }) => percent(apparentSparsity)],
  ["hidden", (counts) => percent(hiddenShare(counts))],
  ["real", ({ realSparsity }) => percent(realSparsity)],
  ["real at most", ({ realSparsityAtMost }) => cellAtMost(realSparsityAtMost)],
  ["path-not-taken", ({ probes }) => percent(probes["path-not-taken"].share)],
  ["small-subnetworks", ({ probes }) => percent(probes["small-subnetworks"].share)],
  ["sign flips", ({ signFlips }) => count(signFlips)],
  ["nonfinite", ({ nonfinite }) => count(nonfinite)],
  ["norm of the change", ({ displacementNorm }) => short(displacementNorm)],
];

type Hidden = Pick<DifferenceCounts, "hidden" | "elements" | "nonfinite">;

/** The share of finite weights that are unchanged as compared and differ in the files; null if unknown. */
export function hiddenShare({ hidden, elements, nonfinite }: Hidden): number | null {
  return hidden === null ? null : share(hidden, elements - nonfinite);
}
