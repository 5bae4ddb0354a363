import type { DifferenceSummary } from "../lens/difference/summarize-difference.js";
import { printable } from "../lens/printable.js";
import { counted, percent, share } from "./numbers.js";

/** How much of a comparison is of none of the kinds of modules, with the largest tensor for an example; nothing for none. */
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
