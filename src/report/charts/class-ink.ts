import type { SharedClass } from "../../lens/classify.js";
import type { Case } from "../../lens/run/case.js";
import type { ClassInk, Palette } from "./palette.js";

/** How a class of a case is drawn. */
export interface CaseInk extends ClassInk {
  /** The rim of an area that is hollow. */
  readonly outline?: string;
}

/** Whether a class of this rounding is what stayed by chance: no loss, because on average the update arrives. */
export function staysByChance(className: SharedClass, { rounding }: Pick<Case, "rounding">): boolean {
  return className === "lost" && rounding === "stochastic";
}

/** The colours of a class; hollow and without the colour of a loss for what stayed by chance. */
export function classInk(inks: Palette, className: SharedClass, rounded: Pick<Case, "rounding">): CaseInk {
  if (!staysByChance(className, rounded)) return inks.classes[className];
  return { fill: inks.grid, on: inks.ink, text: inks.muted, outline: inks.line };
}
