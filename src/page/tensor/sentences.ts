import type { Case } from "../../lens/run/case.js";
import { count, percent, ratio, share, shareOfWeights } from "../../report/numbers.js";

/** The findings of a run, in words. */
export interface Finding {
  /** Pieces between stars are emphasized. */
  readonly apparent: string;
  readonly lens: string;
  /** The class of most hidden updates; null if they stayed by chance, or if almost none is hidden. */
  readonly tone: "lost" | "kept" | null;
}

/** The two sentences above the pictures: what storage shows, and what it hides. */
export function finding(step: number, stored: Case, truth: Case): Finding {
  const n = step === 1 ? "1 step" : `${step} steps`;
  if (step === 0) {
    const weights = stored.tensors[0].shape.reduce((product, length) => product * length);
    return {
      apparent: `A matrix of ${count(weights)} weights, before its first step.`,
      lens: "",
      tone: null,
    };
  }
  const { nonfinite } = stored.end;
  const { elements } = stored.totals;
  const unchanged = percent(shareOfWeights(stored, stored.end.unchanged));
  const really = percent(shareOfWeights(truth, truth.end.unchanged));
  return {
    apparent:
      nonfinite === 0
        ? `After ${n}, *${unchanged}* of the ${stored.format} weights are unchanged. In fp32, *${really}* are.`
        : `After ${n}, *${percent(nonfinite / elements)}* of the ${stored.format} weights are NaN or Inf. Of the others, *${unchanged}* are unchanged; in fp32, *${really}*.`,
    lens: lensSentence(stored),
    tone: toneOf(stored),
  };
}

function toneOf({ rounding, totals: { kept, lost, hiddenShare } }: Case): Finding["tone"] {
  if ((hiddenShare ?? 0) < almostNothing) return null;
  if (kept > lost) return "kept";
  return rounding === "stochastic" ? null : "lost";
}

/** Below this share it is no finding that updates are hidden. */
const almostNothing = 0.01;

function lensSentence({ format, rounding, totals, end }: Case): string {
  const { lost, kept, moved, hiddenShare } = totals;
  if (lost + kept + moved === 0) return "All updates were zero.";
  if (hiddenShare !== null && hiddenShare < almostNothing) {
    const shown = percent(1 - hiddenShare);
    // A carrier may hold a part of every update, also where the stored bits change.
    return end.visible !== null && end.visible < 1 - almostNothing
      ? `${format} shows ${shown} of the updates, and ${percent(end.visible)} of the fp32 displacement.`
      : `Almost nothing is hidden: ${format} shows ${shown} of the updates.`;
  }
  if (kept > lost) {
    return `The updates are there: ${percent(share(kept, lost + kept + moved))} of them changed only the carrier.`;
  }
  if (rounding === "stochastic") {
    const still = percent(share(lost, lost + kept + moved));
    return `${still} of the updates changed nothing, by chance; retained: ${ratio(end.retained)}.`;
  }
  return `The updates were there all along: ${format} rounded ${percent(share(lost, lost + kept + moved))} of them away.`;
}
