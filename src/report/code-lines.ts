import type { DifferenceResult } from "../lens/difference/difference-result.js";
import { printable } from "../lens/printable.js";
import { count, counted, percent, share } from "./numbers.js";

/** What changed by code where numbers are codes times scales: by number alone a new scale changes everything. */
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

/** Tensors of integers and booleans, which are told by bytes. */
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
