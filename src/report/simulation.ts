import type { Result } from "../lens/run/result.js";
import type { FirstShownBinade } from "../lens/study/first-shown.js";
import type { EndRatio, Estimate } from "../lens/study/sampling.js";
import type { NumberTable } from "./charts/figure.js";
import { caseLabels } from "./labels.js";
import { carriesPercents, count, missing, percent, percentWithin, ratio, ratioWithin } from "./numbers.js";

/** Parts of simulations' results that recorded runs lack: estimates from a sample, and when weights first show. */

/** Shares of the whole model with intervals, one row per case; null if the result is not a sample. */
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

/** A ratio at the end of a case, with its interval for a sample. Null if unknown. */
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

/** The share a case retains as a percentage, which may exceed 100%; for a sample, the interval. */
export function retainedText(result: Result, i: number): string {
  const retained = endRatio(result, i, "retained");
  if (retained === null) return missing;
  const half = (retained.high - retained.low) / 2;
  if (carriesPercents(half)) return percentWithin(retained.value, half);
  return `${Math.floor(100 * retained.low)} to ${Math.ceil(100 * retained.high)}%`;
}

/** A ratio at the end as text, with the digits supported by its interval. */
export function endRatioText(result: Result, i: number, name: EndRatio): string {
  const estimate = endRatio(result, i, name);
  return estimate === null ? missing : ratioWithin(estimate.value, (estimate.high - estimate.low) / 2);
}

/** The meaning of the intervals. */
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

/** The step after which half of a binade's weights have changed, measured and by formula, for each case. */
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

/** The meaning of {@link firstShownTable}, and on how few weights its steps were measured. */
export function firstShownNote({ firstShown = [] }: Pick<Result, "firstShown">): string {
  const weights = firstShown.flatMap(({ binades }) => binades.map((binade) => binade.weights));
  const [least, most] = [Math.min(...weights), Math.max(...weights)];
  const measured = least === most ? count(most) : `${count(least)} to ${count(most)}`;
  return (
    "Half of the weights from this magnitude to twice it show by this step; a dash where fewer do within the run, or there is " +
    `no formula. Measured on a sample, ${measured} weights a row: another seed gives other steps.`
  );
}

/** Two digits, because it is an approximation. */
function steps(step: number): string {
  return step < 1e9 ? count(Number(step.toPrecision(Number.isInteger(step) ? 9 : 2))) : step.toExponential(1);
}
