import type { PredictionResult } from "../../lens/study/prediction.js";
import { figures, inText, note, onPage, type Report, table, tableOf, text } from "../blocks/block.js";
import { predictionChart } from "../charts/prediction-chart.js";
import { predictionCommandLine } from "../command.js";
import { counted, percent, share } from "../numbers.js";
import { known, predictionHeadline, predictionNote } from "../prediction.js";
import { inputFacts, originOf } from "../settings.js";

/** How well changes can be predicted. */
export function predictionReport(result: PredictionResult): Report {
  const { tool, input, optimizer, format, rules, weightSteps, changed, skipped } = result;
  const headline = predictionHeadline(result);
  const recall = (i: number) => percent(rules[i].recall);
  return {
    tool,
    title: "Precision lens: prediction",
    headline,
    lede: [],
    tiles: [
      [`of the weights stored as ${format} change in a step`, percent(share(changed, weightSteps))],
      ["of these are named by the ulp rule on Adam's moments", recall(0)],
      ["by the residual in the fp32 master as well", recall(2)],
      ["by what a gradient of up to 4 standard deviations can reach", recall(3)],
    ],
    blocks: [
      inText(() => [text(headline), table(ruleTable(result), { align: "ll" }), note(predictionNote)]),
      onPage(() => [figures(predictionChart(result))]),
    ],
    skipped,
    settings: () => inputFacts({ input, settings: { optimizer, format } }),
    again: () => ({ heading: "To predict again", commands: [predictionCommandLine(result)] }),
    meaning: [predictionNote],
    source: `${counted(input.elements, "weight")} as ${format}, ${counted(input.stepNumbers.length, "step")}${originOf(input)}`,
  };
}

function ruleTable({ rules, weightSteps }: PredictionResult) {
  return tableOf(rules, [
    ["rule", ({ rule }) => rule],
    ["given", ({ knows }) => known[knows]],
    ["named", ({ predicted }) => percent(share(predicted, weightSteps))],
    ["recall", ({ recall }) => percent(recall)],
    ["precision", ({ precision }) => percent(precision)],
  ]);
}
