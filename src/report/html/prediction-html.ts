import type { PredictionResult } from "../../lens/study/prediction.js";
import { predictionChart } from "../charts/prediction-chart.js";
import { predictionCommandLine } from "../command.js";
import { percent, share } from "../numbers.js";
import { predictionHeadline, predictionNote } from "../prediction.js";
import { type HtmlAssets, htmlDocument } from "./document.js";
import { commands, facts, figureHtml, pageHeader, safe, section, skippedSection } from "./parts.js";
import { inputFacts } from "./settings.js";

/** How well changes can be told, as a page in one file. */
export function renderPredictionHtml(result: PredictionResult, assets: HtmlAssets): string {
  const { tool, input, optimizer, format, skipped, changed, weightSteps, rules } = result;
  const [sentence, ...lede] = predictionHeadline(result);
  const recall = (i: number) => percent(rules[i].recall);
  const tiles: [string, string][] = [
    [`of the weights stored as ${format} change in a step`, percent(share(changed, weightSteps))],
    ["of these are named by the ulp rule on Adam's moments", recall(0)],
    ["by the residual in the fp32 master as well", recall(2)],
    ["by all that a gradient can reach", recall(3)],
  ];
  const body = [
    pageHeader(tool, sentence, lede, tiles),
    "<main>",
    `<section>${figureHtml(predictionChart(result), "h2")}</section>`,
    skippedSection(skipped),
    section("settings", "Settings", facts(inputFacts({ input, settings: { optimizer, format }, tool }))),
    section("reproduce", "To predict again", commands([predictionCommandLine(result)])),
    "</main>",
    `<footer><p>${safe(predictionNote)}</p></footer>`,
  ];
  return htmlDocument(`${sentence} ${tool.name}`, body.filter(Boolean).join("\n"), null, assets);
}
