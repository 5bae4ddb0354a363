import type { PredictionResult } from "../../lens/study/prediction.js";
import { percent, share } from "../numbers.js";
import { ruleLabel } from "../prediction.js";
import { aboveBars, type BarColumn, drawBars } from "./bar-columns.js";
import { type Figure, wide } from "./figure.js";

/** Recall and precision of every rule, and the share of weights it predicts to change. */
export function predictionChart({
  rules,
  weightSteps,
  changed,
}: Pick<PredictionResult, "rules" | "weightSteps" | "changed">): Figure {
  const labels = rules.map(ruleLabel);
  const named = rules.map(({ predicted }) => share(predicted, weightSteps));
  const change = percent(share(changed, weightSteps));
  const [recall, precision] = [rules.map((rule) => rule.recall), rules.map((rule) => rule.precision)];
  // Scaled to the largest: rules name few weights, whose bars would be dots relative to all weights.
  const most = Math.max(...named.map((portion) => portion ?? 0)) || 1;
  const columns: BarColumn[] = [
    { name: "recall", about: "of those that changed, named", shares: recall, most: 1, strong: true },
    { name: "precision", about: "of those named, changed", shares: precision, most: 1, strong: true },
    { name: "named", about: `of all; ${change} change`, shares: named, most, strong: false },
  ];
  return {
    name: "rules",
    title:
      changed === 0
        ? "No stored weight changes"
        : `The ulp rule on Adam's moments finds ${percent(rules[0].recall)} of the weights that change`,
    caption:
      "Which stored weights the next step will change, by each rule: from Adam's moments before the step, or from the update " +
      "itself.",
    size: { width: wide, height: aboveBars + rules.length * 62 },
    draw: (size, inks) => drawBars(labels, columns, percent, size, inks),
    numbers: {
      headings: ["rule", ...columns.map(({ name }) => name)],
      rows: labels.map((label, i) => [label, ...columns.map(({ shares }) => percent(shares[i]))]),
    },
  };
}
