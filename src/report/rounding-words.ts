import type { SharedClass } from "../lens/classify.js";
import type { Case } from "../lens/run/case.js";

/** Words that depend on the rounding: an unmoved weight is a loss under some roundings and not under others. */

/** Each class in a few words, for labels and legends. */
const classWords: Readonly<Record<SharedClass, string>> = {
  none: "zero update",
  lost: "lost",
  kept: "kept",
  moved: "moved",
  nonfinite: "not finite",
  collateral: "changed by a scale",
};

/** For stochastic rounding, under which an update moves its weight by chance and arrives on average. */
const drawnClassWords: Readonly<Record<SharedClass, string>> = { ...classWords, lost: "stayed by chance" };

/** The names of schemes in sentences and selects. */
export const schemeWords: Readonly<Record<string, string>> = {
  "in-place": "in-place",
  master: "fp32 master",
  kahan: "Kahan compensation",
  "two-term": "two terms (Collage)",
};

/** The carrier of each scheme; in-place storage has none. */
const heldIn: Readonly<Record<string, string>> = {
  master: "held in the master",
  kahan: "held in the compensation",
  "two-term": "held in the second term",
};

type Rounded = Pick<Case, "rounding"> & Partial<Pick<Case, "scheme">>;

export function classWordsOf({ rounding, scheme }: Rounded): Readonly<Record<SharedClass, string>> {
  const words = rounding === "stochastic" ? drawnClassWords : classWords;
  return { ...words, kept: heldIn[scheme ?? ""] ?? words.kept };
}

/** A class of several cases in a few words; both wordings if roundings are mixed. */
export function classHeading(className: SharedClass, cases: readonly Rounded[]): string {
  if (className === "kept")
    return cases.some(({ scheme }) => scheme !== "in-place")
      ? "held in master or compensation buffer"
      : "kept";
  return [...new Set(cases.map((each) => classWordsOf(each)[className]))].join(" or ");
}

/** The size from which every update moves its weight: the exponent of two in gaps of the weight, and words. */
export interface Boundary {
  readonly exponent: number;
  readonly words: string;
}

/** Half the gap for nearest rounding, else the gap: smaller updates may be rounded back, or move by chance. */
export function boundaryOf({ rounding }: Rounded): Boundary {
  return rounding === "nearest-even" || rounding === "nearest-away"
    ? { exponent: -1, words: "half the gap" }
    : { exponent: 0, words: "the gap" };
}
