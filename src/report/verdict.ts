import type { Case } from "../lens/run/case.js";
import { isNoisy, tolerance, type Verdict, verdictOf } from "../lens/run/check.js";
import type { Result } from "../lens/run/result.js";
import type { Score } from "./blocks/block.js";
import { caseInWords, caseLabels } from "./labels.js";
import { nonfiniteShare, weightsCounted } from "./nonfinite.js";
import { percent, percentWithin } from "./numbers.js";
import { endRatio, retainedText } from "./simulation.js";

/** The first statement on a case: the verdict of \`check\`, or that the sample is too small for one. */
type Told = Verdict | "unsure";

/** @param lost the share that is lost, or the excess over 1. */
export function verdictSentence(verdict: Told, lost: string, stored: string): string {
  switch (verdict) {
    case "keeps":
      return `Keeps its updates: ${stored}.`;
    case "keeps-on-average":
      return `Keeps its updates on average: ${stored}.`;
    case "loses":
      return `Loses ${lost} of what its updates add up to: ${stored}.`;
    case "overshoots":
      return `Goes ${lost} further than its updates add up to: ${stored}.`;
    case "unsure":
      return `This sample does not tell whether updates are kept: ${stored}.`;
    case "unknown":
      return `No verdict: ${stored}.`;
  }
}

/** The verdict on the first case, the subject of the report. */
export function runVerdict(result: Result): string {
  const retained = endRatio(result, 0, "retained");
  const lost = retained === null ? "" : lostText(retained);
  const [first] = result.cases;
  const { nonfinite } = first.end;
  const verdict = verdictSentence(toldOf(result, 0), lost, caseInWords(first));
  // Whatever the rest retains, it is no verdict on all.
  return nonfinite === 0
    ? verdict
    : `${nonfiniteShare(nonfinite, first.totals.elements)} are NaN or Inf. ${verdict}`;
}

/** The share that each case retains, and its verdict. */
export function runScores(result: Result): Score[] {
  const labels = caseLabels(result.cases);
  return result.cases.map(({ end }, i) => {
    const share = endRatio(result, i, "retained")?.value ?? null;
    return retainedScore(labels[i], share, retainedText(result, i), toldOf(result, i), end.nonfinite);
  });
}

/** @param nonfinite the weights that the share does not include, because they are NaN or Inf. */
export function retainedScore(
  label: string,
  share: number | null,
  shown: string,
  told: Told,
  nonfinite: number,
): Score {
  const { said, tone } = inWords[told];
  return {
    label,
    share,
    shown,
    said: nonfinite === 0 ? said : `of ${weightsCounted(nonfinite)}: ${said}`,
    tone,
  };
}

/** The meaning of a ring in a run. */
export function scoresNote(cases: readonly Pick<Case, "end">[]): string {
  const told = "Retained: the share of an fp32 run's displacement that weight and carrier hold at the end.";
  // Where others are NaN or Inf, no share of the finite weights keeps every update.
  return cases.some(({ end }) => end.nonfinite > 0) ? told : `${told} 100% keeps every update.`;
}

const inWords: Readonly<Record<Told, Pick<Score, "said" | "tone">>> = {
  keeps: { said: "keeps its updates", tone: "good" },
  "keeps-on-average": { said: "keeps them on average", tone: "good" },
  loses: { said: "loses updates", tone: "bad" },
  overshoots: { said: "overshoots", tone: "bad" },
  unsure: { said: "sample too small", tone: "plain" },
  unknown: { said: "no verdict", tone: "plain" },
};

function toldOf(result: Result, i: number): Told {
  const { rounding, totals, end } = result.cases[i];
  const retained = endRatio(result, i, "retained");
  if (result.sampling === undefined || retained === null) {
    const noise = endRatio(result, i, "noise");
    const lost = retained && 1 - retained.value;
    return verdictOf(lost, noise?.value ?? null, rounding, totals.elements, end.nonfinite);
  }
  const { low, high } = retained;
  if (high < 1 - tolerance) return "loses";
  if (low > 1 + tolerance) return "overshoots";
  if (low < 1 - tolerance || high > 1 + tolerance) return "unsure";
  if (end.nonfinite > 0) return "unknown";
  return isNoisy(rounding, end.noise) ? "keeps-on-average" : "keeps";
}

function lostText({ value, low, high }: { value: number; low: number; high: number }): string {
  const lost = Math.abs(1 - value);
  const half = (high - low) / 2;
  return half === 0 ? percent(lost) : percentWithin(lost, half);
}
