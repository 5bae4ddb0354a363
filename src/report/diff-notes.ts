import type { DifferenceResult } from "../lens/difference/difference-result.js";
import type { DifferenceSummary } from "../lens/difference/summarize-difference.js";
import { printable } from "../lens/printable.js";
import { count, counted, percent, share } from "./numbers.js";

/** The notes below the tables of a comparison. */

/** The share of weights in modules of unknown kind, with the largest tensor as an example; none if all are known. */
export function otherNote({
  kinds,
  totals,
  tensors,
}: Pick<DifferenceSummary, "kinds" | "totals" | "tensors">): string[] {
  const other = kinds.find(({ kind }) => kind === "other");
  if (other === undefined) return [];
  const part = share(other.elements, totals.elements);
  const size = part === null ? "" : ` with ${percent(part)} of the weights`;
  const { name } = tensors
    .filter(({ kind }) => kind === "other")
    .reduce((largest, tensor) => (tensor.elements > largest.elements ? tensor : largest));
  const [are, example] = other.tensors === 1 ? ["is", ": "] : ["are", "; the largest is "];
  return [
    `${counted(other.tensors, "tensor")}${size} ${are} of none of these kinds (other)` +
      `${name === "" ? "" : example + printable(name, 120)}.`,
  ];
}

/** Changes by code if numbers are codes times scales: by number, a new scale changes everything. */
export function codeLines({ totals: { codes } }: DifferenceResult): string[] {
  if (codes === undefined) return [];
  const { elements, changed, changedByScale, scales, scalesChanged } = codes;
  const changedShare = percent(share(changed, elements));
  return [
    `By code ${count(changed)} of ${count(elements)} weights changed (${changedShare}). ` +
      `Another ${count(changedByScale)} have the same code and another number: ` +
      `${count(scalesChanged)} of ${counted(scales, "scale")} changed.`,
  ];
}

/** Tensors of integers and booleans, which are compared by bytes. */
export function byBytesLines({ byBytes = [] }: DifferenceResult): string[] {
  if (byBytes.length === 0) return [];
  const changed = byBytes.filter((tensor) => tensor.changed > 0);
  const shown = changed
    .slice(0, 3)
    .map(
      ({ name, ...tensor }) =>
        `${printable(name, 80)} (${count(tensor.changed)} of ${count(tensor.elements)} ${tensor.dtype})`,
    );
  const more = changed.length > 3 ? ` and ${count(changed.length - 3)} more` : "";
  const which =
    changed.length === 0
      ? "none differs"
      : `${shown.join(", ")}${more} ${changed.length === 1 ? "differs" : "differ"}`;
  return [`Compared by bytes, ${counted(byBytes.length, "tensor")} of no floats: ${which}.`];
}

/** Differences in bytes that do not show in numbers, or in codes if viewed in a format with shared scales. */
export function bytesLines({ totals }: DifferenceResult): string[] {
  const { bytesChanged, changed, nonfinite, shared } = totals;
  if (bytesChanged === null || bytesChanged === changed) return [];
  const why = nonfinite > 0 ? "+0 and -0, NaN and Inf" : "+0 and -0";
  const by = shared === undefined ? "number" : "code";
  return [`By bytes ${counted(bytesChanged, "weight")} changed, by ${by} ${count(changed)} (${why}).`];
}

/** The tensors that are unchanged as compared but differ in the files; empty if none or unknown. */
function differentSentence(unchanged: DifferenceResult["tensors"]): string {
  const moved = unchanged.filter(({ hidden }) => (hidden ?? 0) > 0).length;
  if (moved === 0) return "";
  const which =
    moved < unchanged.length ? `${count(moved)} of them` : unchanged.length === 1 ? "It" : "All of them";
  return ` ${which} ${moved === 1 ? "differs" : "differ"} at full precision.`;
}

/** The unchanged tensors, by name. */
export function unchangedLines({ totals, tensors }: DifferenceResult): string[] {
  if (totals.elements === 0) return [];
  if (totals.tensorsUnchanged === 0) return ["No tensor is wholly unchanged."];
  const unchanged = tensors.filter(({ whollyUnchanged }) => whollyUnchanged);
  const names = unchanged.map(({ name }) => printable(name, 120));
  const more = names.length > 5 ? ` and ${count(names.length - 5)} more` : "";
  const are = names.length === 1 ? "is" : "are";
  return [
    `${count(names.length)} of ${counted(totals.tensors, "tensor")} ${are} wholly unchanged: ${names.slice(0, 5).join(", ")}${more}.` +
      differentSentence(unchanged),
  ];
}
