import type { SweepResult } from "../../lens/study/sweep.js";
import { sweepFigures } from "../charts/sweep-chart.js";
import { sweepCommandLines } from "../command.js";
import { caseLabel } from "../labels.js";
import { missing, ratio } from "../numbers.js";
import { rateText, sweepNotes, sweepSentences, sweepSize } from "../sweep-table.js";
import { type HtmlAssets, htmlDocument } from "./document.js";
import {
  commands,
  facts,
  figureHtml,
  numberTable,
  pageHeader,
  safe,
  scrolling,
  section,
  skippedSection,
} from "./parts.js";
import { inputFacts } from "./settings.js";

/** A sweep as a page in one file. */
export function renderSweepHtml(result: SweepResult, assets: HtmlAssets): string {
  const { tool, answers, skipped } = result;
  const [sentence, ...lede] = sweepSentences(result);
  const { cost, retained } = sweepFigures(result);
  const body = [
    pageHeader(tool, sentence, [...lede, `${sweepSize(result)}.`], tiles(result)),
    "<main>",
    `<section>${figureHtml(cost, "h2")}</section>`,
    `<section>${retained.map((figure) => figureHtml(figure, "h2")).join("")}</section>`,
    section(
      "cheapest",
      "Cheapest that keeps the updates",
      scrolling(
        "The cheapest case at each rate",
        numberTable({
          headings: ["rate", "stored as", "bits a weight", "retained", "noise", "noise/weight"],
          rows: answers.cheapest.map(({ rate, case: sweepCase }) => [
            rateText(rate),
            sweepCase ? caseLabel(sweepCase) : missing,
            sweepCase ? String(sweepCase.bitsPerWeight) : missing,
            ratio(sweepCase?.retained ?? null),
            ratio(sweepCase?.noise ?? null),
            ratio(sweepCase?.noiseToWeight ?? null),
          ]),
        }),
      ),
    ),
    skippedSection(skipped),
    section("settings", "Settings", facts(sweepFacts(result))),
    section("reproduce", "To sweep again", commands(sweepCommandLines(result))),
    "</main>",
    `<footer><p>${safe([...sweepNotes(result), bits].join(" "))}</p></footer>`,
  ];
  return htmlDocument(`${sentence} ${tool.name}`, body.filter(Boolean).join("\n"), null, assets);
}

/** A synthetic input names one learning rate, which is not that of the sweep. */
function sweepFacts({ rates, ...result }: SweepResult): [string, string][] {
  const own = inputFacts(result).filter(([name]) => !name.endsWith("optimizer: lr"));
  return [
    ["rates", rates.map(rateText).join(", ")],
    ...own.map(([name, value]): [string, string] => [name, value]),
  ];
}

const bits =
  "Bits a weight: those of the weight and of the carrier that keeps what it cannot show; the optimizer's moments, which " +
  "every case has, are not counted.";

function tiles({ answers }: SweepResult): [string, string][] {
  return answers.cases
    .slice(0, 4)
    .map((answer) => [
      `is where ${caseLabel(answer)} begins to learn (${answer.bitsPerWeight} bits a weight)`,
      rateText(answer.learnsFrom),
    ]);
}
