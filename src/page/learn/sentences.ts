import { displacementCounted, updatesCounted } from "../../report/nonfinite.js";
import { count, percent, share } from "../../report/numbers.js";
import { nonzeroUpdates } from "../controls/nonzero-updates.js";
import type { DuelOutcome, Learner } from "./duel.js";
import { recentMean } from "./state.js";

/** From this share on a run "keeps" its updates, as everywhere in this project. */
const keepsFrom = 0.99;

/** What both models answer now, or after the last step over all sums; pieces between stars are emphasized. */
export function heading(
  words: string,
  step: number,
  [chosen, master]: readonly [readonly number[], readonly number[]],
  outcome: DuelOutcome | null,
): string {
  const whole = (x: number | null) => `${Math.round(100 * (x ?? 0))}%`;
  const tenths = (x: number) => `${(100 * x).toFixed(1)}%`;
  if (outcome) {
    const { base, cast, learners } = outcome;
    const [own, other] = learners.map(tenths);
    const stored = cast === base ? "" : `; after the cast to ${words}, still untrained: *${tenths(cast)}*`;
    return `Over all 10,000 sums, before training: ${tenths(base)} right${stored}. With an fp32 master: *${other}*. Stored as ${words}: *${own}*.`;
  }
  if (step === 0) return "Two copies of one model learn to add. They differ in how their weights are stored.";
  return `After ${step} steps the model with an fp32 master answers *${whole(recentMean(master))}* right, the one stored as ${words} *${whole(recentMean(chosen))}*.`;
}

/** What storage did to the updates of a model. */
export function lensSentence(words: string, { totals, end, rounding }: Learner["counted"]): string {
  const updates = nonzeroUpdates(totals);
  const { retained } = end;
  if (retained === null) {
    if (totals.nonfinite > 0)
      return `${count(totals.nonfinite)} results are not finite: no share of the fp32 displacement can be given.`;
    if (updates === 0) return "No update was made: every update was zero, so there is nothing to retain.";
    return "In fp32 the updates cancel: there is no displacement to retain.";
  }
  if (retained >= keepsFrom && end.nonfinite > 0)
    return `${count(end.nonfinite)} weights are NaN or Inf; the others retain ${percent(Math.min(1, retained))} of the fp32 displacement.`;
  if (retained >= keepsFrom)
    return `${words} keeps its updates: ${percent(Math.min(1, retained))} of the fp32 displacement is retained.`;
  const lost = `${percent(share(totals.lost, updates))} of the ${updatesCounted(totals.nonfinite)}`;
  const left = `${percent(retained)} of the ${displacementCounted(end.nonfinite)} is retained`;
  return rounding === "stochastic"
    ? `${lost} changed nothing, by chance; ${left}.`
    : `Storage lost ${lost}; ${left}.`;
}

/** The class that colours {@link lensSentence}; none where nothing was updated, or where weights stay by chance. */
export function lensTone({ end, rounding }: Learner["counted"]): "kept" | "lost" | "" {
  if (end.retained === null) return "";
  if (end.retained >= keepsFrom) return end.nonfinite > 0 ? "lost" : "kept";
  return rounding === "stochastic" ? "" : "lost";
}
