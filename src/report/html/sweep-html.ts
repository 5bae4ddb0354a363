import type { SweepResult } from "../../lens/sweep.js";
import { sweepChart } from "../charts/sweep-chart.js";
import { caseLabel } from "../labels.js";
import { count, missing, ratio } from "../numbers.js";
import { rateText, sweepSentences } from "../sweep-table.js";
import { type HtmlAssets, htmlDocument } from "./document.js";
import {
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
  const { tool, input, rates, answers, settings, engine, skipped } = result;
  const [sentence, ...lede] = sweepSentences(result);
  const steps = input.stepNumbers.length;
  const size = `${count(input.elements)} weights, ${count(steps)} ${steps === 1 ? "step" : "steps"} at each of ${rates.length} rates.`;
  const body = [
    pageHeader(tool, sentence, [...lede, size], tiles(result)),
    "<main>",
    `<section>${figureHtml(sweepChart(result), "h2")}</section>`,
    section(
      "cheapest",
      "Cheapest that keeps the updates",
      scrolling(
        "The cheapest case at each rate",
        numberTable({
          headings: ["rate", "stored as", "bits a weight", "progress"],
          rows: answers.cheapest.map(({ rate, case: of }) => [
            rateText(rate),
            of ? caseLabel(of) : missing,
            of ? String(of.bitsPerWeight) : missing,
            of ? ratio(of.effectiveDescent) : missing,
          ]),
        }),
      ),
    ),
    skippedSection(skipped),
    section("settings", "Settings", facts(inputFacts({ input, settings, engine, tool }))),
    "</main>",
    `<footer><p>${safe(meaning)}</p></footer>`,
  ];
  return htmlDocument(`${sentence} ${tool.name}`, body.filter(Boolean).join("\n"), null, assets);
}

const meaning =
  "Progress: how far along the way of an fp32 run with the same updates the stored weights came. Bits a weight: those of the " +
  "weight and of the carrier that keeps what it cannot show; the optimizer's moments, which every case has, are not counted.";

function tiles({ answers }: SweepResult): [string, string][] {
  return answers.learnsFrom
    .slice(0, 4)
    .map((of) => [
      `is where ${caseLabel(of)} begins to learn (${of.bitsPerWeight} bits a weight)`,
      of.rate === null ? missing : rateText(of.rate),
    ]);
}
