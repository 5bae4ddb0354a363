import { printable } from "../lens/printable.js";
import type { Knowledge, PredictionResult, Rule, RuleOutcome } from "../lens/study/prediction.js";
import { csvOf, fields } from "./csv-text.js";
import { weightsCounted } from "./nonfinite.js";
import { count, counted, percent, share } from "./numbers.js";
import { leftOutSentences } from "./skipped.js";

export const known: Readonly<Record<Knowledge, string>> = { moments: "m and v", gradient: "the update" };

/** The results of the rule in use, and of one with more information. */
export function predictionHeadline(result: PredictionResult): string[] {
  const { format, input, changed, weightSteps, rules, steps, skipped } = result;
  const recall = (rule: Rule, knows: Knowledge) =>
    percent(rules.find((outcome) => outcome.rule === rule && outcome.knows === knows)?.recall ?? null);
  const reach = rules.find(({ rule }) => rule === "reach")!;
  const nonfinite = input.elements * steps.length - weightSteps;
  const leftOut = leftOutSentences(skipped, input.elements);
  if (weightSteps === 0) return [...leftOut, nonfinite === 0 ? nothingToPredict : nothingFinite];
  const first = [...leftOut, ...nonfiniteSentence(nonfinite, result)];
  const size = `${counted(input.elements, "weight")} stored as ${printable(format)} from an fp32 master`;
  const reached =
    `A gradient of up to 4 standard deviations can reach ${percent(share(reach.predicted, weightSteps))} of ` +
    `the ${weightsCounted(nonfinite)}`;
  if (changed === 0) return [...first, `Nothing changed: of ${size}, no step changed any.`, `${reached}.`];
  return [
    ...first,
    `The ulp rule on Adam's moments finds ${recall("ulp-rule", "moments")} of the weights that the next step changes.`,
    `Of ${size}, ${percent(share(changed, weightSteps))} changed in a step. Knowing what the master holds ` +
      `back, the moments find ${recall("residual", "moments")}; with the update itself, ` +
      `${recall("residual", "gradient")}. ${reached}, and ${percent(reach.recall)} of those that change.`,
  ];
}

const nothingToPredict = "There is nothing to predict: this takes weights, and at least two steps.";
const nothingFinite = "No weight is finite in any of these steps: nothing can be said.";

function nonfiniteSentence(nonfinite: number, { input, steps }: PredictionResult): string[] {
  if (nonfinite === 0) return [];
  return [
    `${percent(share(nonfinite, input.elements * steps.length))} of the weight-steps (${count(nonfinite)}) are left out: ` +
      "the weight, its update or what is stored is NaN or Inf. What follows is about the rest.",
  ];
}

/** A rule and its inputs. */
export function ruleLabel({ rule, knows }: Pick<RuleOutcome, "rule" | "knows">): string {
  return `${rule}, given ${known[knows]}`;
}

export const predictionNote =
  "Named: of all weight-steps, those that a rule says will change. Recall: of those that changed, the share it named. " +
  "Precision: of those it named, the share that changed. Reach: a weight that some gradient of up to 4 standard deviations would change, with " +
  "v as it is before the step. Putting that gradient into v as well, as AdamW does, gives smaller updates in early steps, and reaches fewer.";

/** One row per rule. */
export function renderPredictionCsv({ rules, weightSteps, changed }: PredictionResult): string {
  return csvOf(rules, [
    ...fields(["rule", "knows"], (rule: RuleOutcome) => rule),
    ...fields(["weightSteps", "changed"], () => ({ weightSteps, changed })),
    ...fields(["predicted", "right", "recall", "precision"], (rule: RuleOutcome) => rule),
  ]);
}
