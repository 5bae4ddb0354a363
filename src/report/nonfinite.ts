import type { LensCounts } from "../lens/run/case.js";
import { count, percent } from "./numbers.js";

/** Weights that are NaN or Inf are in no ratio, so that these say nothing of them: their number precedes the results. */

/** "97.7% of the weights (4,000)" */
export function nonfiniteShare(nonfinite: number, elements: number): string {
  return `${percent(nonfinite / elements)} of the weights (${count(nonfinite)})`;
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

/** "a, b and c" */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
