import type { FirstShownBinade } from "../lens/first-shown.js";
import type { Result } from "../lens/result.js";
import type { Estimate } from "../lens/sampling.js";
import type { NumberTable } from "./charts/figure.js";
import { caseLabels } from "./labels.js";
import { count, missing, percent } from "./numbers.js";

/** What results of simulations have besides those of recorded runs: what a sample tells, and when weights first show. */

/** Shares of the whole model with their intervals, one row a case; null for results that are no sample. */
export function samplingTable({ sampling, cases }: Result): NumberTable | null {
  if (sampling === undefined) return null;
  const labels = caseLabels(cases);
  return {
    headings: [`of ${count(sampling.parameters)}`, "unchanged", "hidden", "apparent"],
    rows: sampling.cases
      .slice(0, cases.length)
      .map(({ unchanged, hidden, apparentSparsity }, i) => [
        labels[i],
        ...[unchanged, hidden, apparentSparsity].map(interval),
      ]),
  };
}

/** What the intervals are. */
export function samplingNote({ sampling }: Result): string {
  return `Of all weights of the model, by ${100 * (sampling?.confidence ?? 0)}% intervals; apparent is of the updates.`;
}

function interval({ low, high }: Estimate): string {
  const [from, to] = [percent(low), percent(high)];
  return from === to ? from : `${from} to ${to}`;
}

/** The step by which half of the weights of a binade had shown, measured and by formula, for each case. */
export function firstShownTable({ firstShown: all = [], cases }: Result): NumberTable | null {
  const labels = caseLabels(cases);
  const firstShown = all.filter((of) => of.case < cases.length);
  if (firstShown.length === 0) return null;
  const exponents = [
    ...new Set(firstShown.flatMap(({ binades }) => binades.map(({ exponent }) => exponent))),
  ];
  exponents.sort((a, b) => a - b);
  const cell = (of: FirstShownBinade | undefined, value: (of: FirstShownBinade) => number | null) => {
    const step = of && value(of);
    return step === undefined || step === null ? missing : steps(step);
  };
  return {
    headings: ["|w| from", ...firstShown.flatMap(({ case: c }) => [labels[c], "formula"])],
    rows: exponents.map((exponent) => [
      (2 ** exponent).toPrecision(2),
      ...firstShown.flatMap(({ binades }) => {
        const of = binades.find((binade) => binade.exponent === exponent);
        return [cell(of, ({ medianStep }) => medianStep), cell(of, ({ formula }) => formula)];
      }),
    ]),
  };
}

export const firstShownNote =
  "Half of the weights from this magnitude to twice it show by this step; a dash where fewer do within the run, or there is " +
  "no formula.";

/** Two digits: it is an approximation. */
function steps(step: number): string {
  return count(Number(step.toPrecision(Number.isInteger(step) ? 9 : 2)));
}
