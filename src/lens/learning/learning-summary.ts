import { type MeasureName, measureNames } from "../geometry-result.js";
import type { LearnResult, LearnRun } from "./learning.js";

/** A number over the seeds of a row: the mean, and half of its 95% interval where there are two or more. */
export interface Estimate {
  readonly mean: number;
  readonly half: number | null;
}

/** All seeds of one way of training and storing. */
export interface LearnRow extends Pick<LearnRun, "run" | "format" | "scheme" | "rounding" | "opmath" | "lr"> {
  readonly seeds: number;
  readonly passAt1: Estimate;
  /**
   * The share of fp32's gain in pass@1, of the same seed and rate; null where no fp32 run stands beside it, and where that one gained
   * nothing.
   */
  readonly gain: Estimate | null;
  readonly passAt32: Estimate;
  readonly klForward: Estimate | null;
  /** pass@1 of tasks that were not trained, by name. */
  readonly heldOut: readonly { readonly name: string; readonly passAt1: Estimate }[];
  readonly unchanged: Estimate;
  readonly retained: Estimate | null;
  /** Of all weight-steps. */
  readonly moved: Estimate;
  /** Means over matrices; null where no geometry was measured. */
  readonly geometry: Readonly<Record<MeasureName, MeasuredRow>> | null;
}

/** Measured, and its ratio to what is expected; null where a seed has none. */
export interface MeasuredRow {
  readonly measured: Estimate | null;
  readonly ratio: Estimate | null;
}

/** Rows in the order in which their first run was made. */
export function summaryOf({ runs }: LearnResult): LearnRow[] {
  const key = (run: LearnRun) =>
    JSON.stringify([run.run, run.lr, run.format, run.scheme, run.rounding, run.opmath]);
  const groups = new Map<string, LearnRun[]>();
  for (const run of runs) groups.set(key(run), [...(groups.get(key(run)) ?? []), run]);
  return [...groups.values()].map((group) => {
    const [{ run, format, scheme, rounding, opmath, lr }] = group;
    const over = (value: (learnRun: LearnRun) => number | null) => estimate(group.map(value));
    return {
      run,
      format,
      scheme,
      rounding,
      opmath,
      lr,
      seeds: group.length,
      passAt1: over(({ outcome }) => outcome.passAt[1])!,
      gain: over((learnRun) => gainShare(learnRun, runs)),
      passAt32: over(({ outcome }) => outcome.passAt[32])!,
      klForward: over(({ outcome }) => outcome.klForward),
      heldOut: group[0].heldOut.map(({ name }, i) => ({
        name,
        passAt1: over(({ heldOut }) => heldOut[i].outcome.passAt[1])!,
      })),
      unchanged: over(({ end, totals }) => end.unchanged / totals.elements)!,
      retained: over(({ end }) => end.retained),
      moved: over(({ totals }) => totals.moved / (totals.elements * totals.steps))!,
      geometry: group[0].geometry ? geometryRow(group) : null,
    };
  });
}

function geometryRow(group: readonly LearnRun[]): Record<MeasureName, MeasuredRow> {
  const over = (name: MeasureName, field: "measured" | "ratio") =>
    estimate(group.map(({ geometry }) => geometry?.totals.measures[name][field] ?? null));
  const rows = measureNames.map((name): [MeasureName, MeasuredRow] => [
    name,
    { measured: over(name, "measured"), ratio: over(name, "ratio") },
  ]);
  return Object.fromEntries(rows) as Record<MeasureName, MeasuredRow>;
}

/** Whether a way of storing is fp32 itself, beside which all others are seen. */
export function isFp32({
  format,
  scheme,
  rounding,
}: Pick<LearnRun, "format" | "scheme" | "rounding">): boolean {
  return format === "fp32" && scheme === "in-place" && rounding === "nearest-even";
}

/** Of what the fp32 run of the same seed gained in pass@1, the share that this one did. A loss has no shares. */
function gainShare(learnRun: LearnRun, runs: readonly LearnRun[]): number | null {
  const beside = runs.find(
    (other) =>
      isFp32(other) && other.run === learnRun.run && other.lr === learnRun.lr && other.seed === learnRun.seed,
  );
  if (!beside) return null;
  const gained = (run: LearnRun) => run.outcome.passAt[1] - run.base.passAt[1];
  return gained(beside) > 0 ? gained(learnRun) / gained(beside) : null;
}

/** Student's 97.5% quantiles by degrees of freedom, from 1. */
const students = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];
const normal = 1.96;

/** Null where a value is missing. */
export function estimate(values: readonly (number | null)[]): Estimate | null {
  const known = values.filter((value) => value !== null);
  if (known.length < values.length || known.length === 0) return null;
  const mean = known.reduce((sum, x) => sum + x, 0) / known.length;
  if (known.length === 1) return { mean, half: null };
  const squares = known.reduce((sum, x) => sum + (x - mean) * (x - mean), 0);
  const error = Math.sqrt(squares / (known.length - 1) / known.length);
  return { mean, half: (students[known.length - 2] ?? normal) * error };
}
