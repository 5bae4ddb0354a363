import type { Format } from "../../format/format.js";
import { roundSum } from "../../format/round.js";
import type { SkippedTensor } from "../input.js";
import { ulpRuleLost } from "../probes.js";
import type { ResultInput, ResultOptimizer } from "../run/result.js";

/**
 * Rules that predict which stored weights the next step of an optimizer with an fp32 master will change:
 * - `ulp-rule`: |u| >= |w| / 256 (PULSE, arXiv 2602.03839).
 * - `one-step`: w + u rounds to another number than w.
 * - `residual`: the master, which holds what earlier updates left, rounds to another number with u added.
 * - `reach`: the master rounds to another number for some update that the unknown gradient can make of the moments.
 */
export const rules = ["ulp-rule", "one-step", "residual", "reach"] as const;
export type Rule = (typeof rules)[number];

/**
 * The update given to a rule: from the moments before the step, lr m / sqrt(v), or the actual one, once the
 * gradient is known.
 */
export const knowledges = ["moments", "gradient"] as const;
export type Knowledge = (typeof knowledges)[number];

/** Standard deviations of a gradient, as the second moment knows them, that `reach` takes into account. */
export const reachDeviations = 4;

/** A weight before a step. */
export interface BeforeStep {
  readonly stored: number;
  readonly master: number;
}

/** The forecast of an update before the step: its value, minimum and maximum. */
export interface Forecast {
  readonly update: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Whether a rule says that a stored weight will change.
 *
 * @param storedOf what is stored for a sum; where scales are shared, under those before the step.
 */
export function changes(
  rule: Rule,
  { stored, master }: BeforeStep,
  { update, least, most }: Forecast,
  storedOf: (sum: number) => number,
): boolean {
  const other = (sum: number) => storedOf(sum) !== stored;
  if (rule === "ulp-rule") return update !== 0 && !ulpRuleLost(stored, update);
  if (rule === "one-step") return other(stored + update);
  if (rule === "residual") return other(master + update);
  return other(master + least) || other(master + most);
}

/** What a format stores of a master. @param sum of two fp32 numbers; the master is fp32 too. */
export function storedAs(sum: number, format: Format): number {
  return roundSum(Math.fround(sum), 0, format, "nearest-even", "ieee", 0);
}

/** How a rule did, over all weight-steps. */
export interface RuleOutcome {
  readonly rule: Rule;
  readonly knows: Knowledge;
  /** Weight-steps that it said would change. */
  readonly predicted: number;
  /** Of these, those that did. */
  readonly right: number;
  /** right / changed */
  readonly recall: number | null;
  /** right / predicted */
  readonly precision: number | null;
}

/** How well the next step's changes can be predicted, `precision-lens-prediction/1`. */
export interface PredictionResult {
  readonly schema: "precision-lens-prediction/1";
  readonly tool: { readonly name: string; readonly version: string };
  readonly input: Omit<ResultInput, "metadata">;
  readonly optimizer: ResultOptimizer;
  readonly format: string;
  /** Finite ones, of weights times steps from the second on: before the first there are no moments. */
  readonly weightSteps: number;
  /** Of these, those whose stored weight changed; where scales are shared, whose code did. */
  readonly changed: number;
  readonly rules: readonly RuleOutcome[];
  readonly steps: readonly StepPrediction[];
  readonly skipped: readonly SkippedTensor[];
}

export interface StepPrediction {
  readonly step: number;
  readonly changed: number;
  /** Weight-steps left out: the weight, its update or what is stored is NaN or Inf. Absent in older results. */
  readonly nonfinite?: number;
  /** In the order of the result's rules. */
  readonly predicted: readonly number[];
  readonly right: readonly number[];
}

/** The evaluated rules, and the inputs of each. */
export const judgedRules: readonly { readonly rule: Rule; readonly knows: Knowledge }[] = [
  { rule: "ulp-rule", knows: "moments" },
  { rule: "one-step", knows: "moments" },
  { rule: "residual", knows: "moments" },
  { rule: "reach", knows: "moments" },
  { rule: "ulp-rule", knows: "gradient" },
  { rule: "one-step", knows: "gradient" },
  { rule: "residual", knows: "gradient" },
];

/** Sums of the steps, by rule. */
export function ruleOutcomes(steps: readonly StepPrediction[]): RuleOutcome[] {
  const changed = sumOf(steps, (step) => step.changed);
  return judgedRules.map(({ rule, knows }, r) => {
    const predicted = sumOf(steps, (step) => step.predicted[r]);
    const right = sumOf(steps, (step) => step.right[r]);
    return {
      rule,
      knows,
      predicted,
      right,
      recall: changed === 0 ? null : right / changed,
      precision: predicted === 0 ? null : right / predicted,
    };
  });
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
