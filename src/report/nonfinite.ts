import { isBlockFormat } from "../format/block/block-format.js";
import type { DifferenceCounts } from "../lens/difference/difference-result.js";
import type { Case, LensCounts } from "../lens/run/case.js";
import { caseInWords } from "./labels.js";
import { count, percent } from "./numbers.js";

/** Weights that are NaN or Inf are in no ratio, so that these say nothing of them: their number precedes the results. */

/** "97.7% of the weights (4,000)" */
export function nonfiniteShare(nonfinite: number, elements: number): string {
  return `${percent(nonfinite / elements)} of the weights (${count(nonfinite)})`;
}

/** What a share of weights is of, beside the number of weights that are in none: "weights" or "finite weights". */
export function weightsCounted(nonfinite: number): string {
  return nonfinite === 0 ? "weights" : "finite weights";
}

/** The same for a share of the updates that were not zero, beside the number of updates that are in none. */
export function updatesCounted(nonfinite: number): string {
  return nonfinite === 0 ? "updates that were not zero" : "nonzero updates of finite weights";
}

/** The same for a share of the displacement of an fp32 run. */
export function displacementCounted(nonfinite: number): string {
  return nonfinite === 0 ? "fp32 displacement" : "fp32 displacement of the finite weights";
}

/** More cases than this are only counted. */
const mostShown = 3;

/**
 * How many weights were or became NaN or Inf, by case or run; none if all stayed finite.
 *
 * @param link between the numbers and the labels.
 */
export function nonfiniteSentences(
  cases: readonly Pick<LensCounts, "totals" | "end">[],
  labels: readonly string[],
  link: "stored as" | "in" = "stored as",
): string[] {
  const byNumber = new Map<number, { readonly share: string; readonly names: string[] }>();
  for (const [i, { totals, end }] of cases.entries()) {
    if (end.nonfinite === 0) continue;
    const share = nonfiniteShare(end.nonfinite, totals.elements);
    const group = byNumber.get(end.nonfinite) ?? { share, names: [] };
    group.names.push(labels[i]);
    byNumber.set(end.nonfinite, group);
  }
  if (byNumber.size === 0) return [];
  const groups = [...byNumber].sort(([a], [b]) => b - a).map(([, group]) => group);
  const shown = groups.slice(0, mostShown).map(({ share, names }, i) => {
    const where = names.length > mostShown ? `${names[0]} and ${names.length - 1} more` : listed(names);
    return i === 0 ? `${share} were or became NaN or Inf, ${link} ${where}` : `${share}, ${link} ${where}`;
  });
  const left = groups.slice(mostShown).flatMap(({ names }) => names).length;
  const more = left === 0 ? "" : `; fewer in ${left} more`;
  return [`${shown.join("; ")}${more}. What follows is about the rest.`];
}

/** Where no weight-step of the first case is in any ratio. */
export function nothingCounted(first: Case): string {
  const { elements, nonfinite } = first.totals;
  if (elements === 0) return "There are no weights.";
  if (nonfinite === 0) return "There are no updates.";
  // The counts do not tell which of these it was.
  const why = isBlockFormat(first.format)
    ? "the weight, its update or what is stored is NaN or Inf, by itself or by a scale that it shares"
    : "the weight, its update or what is stored is NaN or Inf";
  return `Stored as ${caseInWords(first)}, no weight is finite: in every step ${why}. Nothing can be said of sparsity.`;
}

/** How many weights of two checkpoints are in no share; none if all are finite. */
export function nonfiniteInPair({
  nonfinite,
  elements,
}: Pick<DifferenceCounts, "nonfinite" | "elements">): string[] {
  if (nonfinite === 0) return [];
  return [
    `${nonfiniteShare(nonfinite, elements)} are NaN or Inf on one side or both. What follows is about the rest.`,
  ];
}

/** Where no weight of two checkpoints is in any ratio. */
export const nothingFinite = "No weight is finite on both sides: nothing can be said.";

/** "a, b and c" */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
