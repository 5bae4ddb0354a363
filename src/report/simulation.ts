import type { Result } from "../lens/run/result.js";
import type { FirstShownBinade } from "../lens/study/first-shown.js";
import type { EndRatio, Estimate } from "../lens/study/sampling.js";
import type { NumberTable } from "./charts/figure.js";
import { caseLabels } from "./labels.js";
import { carriesPercents, count, missing, percent, percentWithin, ratio, ratioWithin } from "./numbers.js";

/** What results of simulations have besides those of recorded runs: what a sample tells, and when weights first show. */

/** Shares of the whole model with their intervals, one row a case; null for results that are no sample. */
export function samplingTable({ sampling, cases }: Result): NumberTable | null {
  if (sampling === undefined) return null;
  const labels = caseLabels(cases);
  return {
    headings: [`of ${count(sampling.parameters)}`, "unchanged", "hidden", "apparent", "retained", "visible"],
    rows: sampling.cases
      .slice(0, cases.length)
      .map(({ unchanged, hidden, apparentSparsity, retained, visible }, i) => [
        labels[i],
        ...[unchanged, hidden, apparentSparsity].map((estimate) => interval(estimate, percent)),
        ...[retained, visible].map((estimate) => (estimate ? interval(estimate, ratio) : missing)),
      ]),
  };
}

/** A number of the end of a case, and where it lies: of a sample by its interval. Null where it is not known. */
export function endRatio(
  { cases, sampling }: Result,
  i: number,
  name: EndRatio,
): { value: number; low: number; high: number } | null {
  const value = cases[i].end[name];
  if (sampling === undefined) return value === null ? null : { value, low: value, high: value };
  const estimate = sampling.cases[i]?.[name];
  return estimate ? { value: estimate.estimate, low: estimate.low, high: estimate.high } : null;
}

/** What a case retains as a percentage, which may be more than all; of a sample from where to where. */
export function retainedText(result: Result, i: number): string {
  const retained = endRatio(result, i, "retained");
  if (retained === null) return missing;
  const half = (retained.high - retained.low) / 2;
  if (carriesPercents(half)) return percentWithin(retained.value, half);
  return `${Math.floor(100 * retained.low)} to ${Math.ceil(100 * retained.high)}%`;
}

/** A number of the end as text, to the digits that its interval carries. */
export function endRatioText(result: Result, i: number, name: EndRatio): string {
  const estimate = endRatio(result, i, name);
  return estimate === null ? missing : ratioWithin(estimate.value, (estimate.high - estimate.low) / 2);
}

/** What the intervals are. */
export function samplingNote({ sampling }: Result): string {
  return (
    `Of all weights of the model, by ${100 * (sampling?.confidence ?? 0)}% intervals; apparent is of the updates. Retained ` +
    "and visible, of the displacement of an fp32 run, by how tensors differ; not known from fewer than four."
  );
}

function interval({ low, high }: Estimate, text: (x: number) => string): string {
  const [from, to] = [text(low), text(high)];
  return from === to ? from : `${from} to ${to}`;
}

/** The step by which half of the weights of a binade had shown, measured and by formula, for each case. */
export function firstShownTable({ firstShown: all = [], cases }: Result): NumberTable | null {
  const labels = caseLabels(cases);
  const firstShown = all.filter((entry) => entry.case < cases.length);
  if (firstShown.length === 0) return null;
  const exponents = [
    ...new Set(firstShown.flatMap(({ binades }) => binades.map(({ exponent }) => exponent))),
  ];
  exponents.sort((a, b) => a - b);
  const cell = (binade: FirstShownBinade | undefined, value: (binade: FirstShownBinade) => number | null) => {
    const step = binade && value(binade);
    return step === undefined || step === null ? missing : steps(step);
  };
  return {
    headings: ["|w| from", ...firstShown.flatMap(({ case: c }) => [labels[c], "formula"])],
    rows: exponents.map((exponent) => [
      (2 ** exponent).toPrecision(2),
      ...firstShown.flatMap(({ binades }) => {
        const found = binades.find((binade) => binade.exponent === exponent);
        return [cell(found, ({ medianStep }) => medianStep), cell(found, ({ formula }) => formula)];
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
