import type { Case, Result } from "../lens/result.js";
import { castSentences } from "./cast-note.js";
import { caseInWords, caseLabels, stepsInWords } from "./labels.js";
import { percent, ratio, share, shareOfWeights } from "./numbers.js";
import { leftOutSentences } from "./skipped.js";

/** A case keeps its updates if what it retains is this near to the fp32 displacement. More is no gain: it is a bias. */
const tolerance = 0.01;

/**
 * The answer in a few sentences: what was left out, then of the first case real against apparent sparsity and the
 * lens's share of it, then of all cases how much of the fp32 run's displacement they retain.
 */
export function headline(result: Result): string[] {
  const { input, skipped, cases, casts } = result;
  const [first] = cases;
  const left = leftOutSentences(skipped, input.elements);
  if (first.totals.apparentSparsity === null) {
    return [...left, "No update was finite: nothing can be said of sparsity."];
  }
  return [
    ...left,
    ...sparsitySentences(first, stepsInWords(result)),
    ...retainedSentences(cases),
    ...castSentences(casts),
  ];
}

function sparsitySentences(first: Case, steps: string): string[] {
  const { totals, end, rounding } = first;
  const hidden = share(end.hidden, end.unchanged);
  const left = percent(totals.apparentSparsity);
  const how = caseInWords(first);
  return [
    (rounding === "stochastic"
      ? `Stored as ${how}, ${left} of the updates did not move their weight when they came, by chance: on average each ` +
        "moves it by its whole size"
      : `Stored as ${how}, ${left} of the updates left the stored weight as it was`) +
      (totals.none === 0
        ? "; no update was zero."
        : `; ${percent(totals.realSparsity)} of the updates were zero.`),
    `After ${steps} ${percent(shareOfWeights(first, end.unchanged))} of the weights are unchanged` +
      (hidden === null ? "." : `; an fp32 run would have changed ${percent(hidden)} of them.`),
  ];
}

/** What each case retains, those that keep their updates together; nothing of results that do not tell. */
function retainedSentences(cases: readonly Case[]): string[] {
  const known = caseLabels(cases)
    .map((label, i) => ({ label, end: cases[i].end, stochastic: cases[i].rounding === "stochastic" }))
    .filter(({ end }) => end.retained !== null);
  if (known.length === 0) return [];
  const keeping = known.filter(
    ({ end, stochastic }) => Math.abs(end.retained! - 1) <= tolerance && !stochastic,
  );
  const parts = known
    .filter((row) => !keeping.includes(row))
    .map(
      ({ label, end, stochastic }) =>
        `${label} retains ${percent(end.retained)}${stochastic ? ` with noise of ${ratio(end.noise)} times it` : ""}`,
    );
  if (keeping.length > 0) {
    const names = keeping.map(({ label }) => label);
    parts.push(`${listed(names)} ${names.length === 1 ? "retains" : "retain"} it, within 1%`);
  }
  return [`Of the displacement of an fp32 run, ${parts.join("; ")}.`];
}

/** "a, b and c" */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
