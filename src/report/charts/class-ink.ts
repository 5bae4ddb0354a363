import type { SharedClass } from "../../lens/classify.js";
import type { Case } from "../../lens/run/case.js";
import type { ClassInk, Palette } from "./palette.js";

/** The colours of a class of a case. */
export interface CaseInk extends ClassInk {
  /** The outline of a hollow area. */
  readonly outline?: string;
}

/** Whether a class under this rounding stayed by chance: not a loss, because the update arrives on average. */
export function staysByChance(className: SharedClass, { rounding }: Pick<Case, "rounding">): boolean {
  return className === "lost" && rounding === "stochastic";
}

/** The colours of a class; updates that stayed by chance are hollow and not in the colour of a loss. */
export function classInk(inks: Palette, className: SharedClass, rounded: Pick<Case, "rounding">): CaseInk {
  if (!staysByChance(className, rounded)) return inks.classes[className];
  return { fill: inks.grid, on: inks.ink, text: inks.muted, outline: inks.line };
}
