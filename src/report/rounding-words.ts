import type { SharedClass } from "../lens/classify.js";
import type { Case } from "../lens/run/case.js";

/** Words that depend on the rounding: what leaves a weight as it is under one is no loss under another. */

/** Each class in a few words, for direct labels and legends. */
const classWords: Readonly<Record<SharedClass, string>> = {
  none: "zero update",
  lost: "lost",
  kept: "kept out of sight",
  moved: "moved",
  nonfinite: "not finite",
  collateral: "changed by a scale",
};

/** Of stochastic rounding: an update moves its weight by chance, and arrives on average. */
const drawnClassWords: Readonly<Record<SharedClass, string>> = { ...classWords, lost: "stayed by chance" };

type Rounded = Pick<Case, "rounding">;

export function classWordsOf({ rounding }: Rounded): Readonly<Record<SharedClass, string>> {
  return rounding === "stochastic" ? drawnClassWords : classWords;
}

/** A class of several cases in a few words: of both kinds, where they are mixed. */
export function classHeading(className: SharedClass, cases: readonly Rounded[]): string {
  return [...new Set(cases.map((each) => classWordsOf(each)[className]))].join(" or ");
}

/** The size from which every update moves its weight: its power of two, in gaps of the weight, and in words. */
export interface Boundary {
  readonly exponent: number;
  readonly words: string;
}

/** Half the gap to nearest; else the gap: under it an update may be rounded back, or moves its weight by chance. */
export function boundaryOf({ rounding }: Rounded): Boundary {
  return rounding === "nearest-even" || rounding === "nearest-away"
    ? { exponent: -1, words: "half the gap" }
    : { exponent: 0, words: "the gap" };
}
