import type { SkippedTensor } from "../lens/input.js";
import { leftOut } from "../lens/left-out.js";
import { printable } from "../lens/printable.js";
import { count, percent } from "./numbers.js";

/** The share of weights not counted, as sentences; none if all are. It precedes the results. */
export function leftOutSentences(skipped: readonly SkippedTensor[], counted: number): string[] {
  const left = leftOut(skipped, counted);
  if (left === null) return [];
  const { name, reason } = left.largest;
  const which = left.tensors === 1 ? "tensor" : `${count(left.tensors)} tensors; the largest,`;
  return [
    `${percent(left.share)} of the weights are not counted (${which} ${printable(name, 60)}: ${printable(reason, 200)}). ` +
      "What follows is about the rest.",
  ];
}

/** The verdict, if all weights are counted; otherwise what is not counted comes first. */
export function verdictOnAll(
  skipped: readonly SkippedTensor[],
  counted: number,
  verdict: string,
): { readonly verdict?: string } {
  return leftOut(skipped, counted) === null ? { verdict } : {};
}

/** Excluded tensors with their reasons; at most five. */
export function skippedLines(skipped: readonly SkippedTensor[]): string[] {
  const shown = skipped
    .slice(0, 5)
    .map(({ name, reason }) => `  ${printable(name, 120)}: ${printable(reason, 300)}`);
  const more = skipped.length > 5 ? [`  and ${count(skipped.length - 5)} more`] : [];
  return [`${count(skipped.length)} not counted:`, ...shown, ...more];
}
