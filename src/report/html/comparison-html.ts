import type { RunComparison } from "../../lens/learning/run-comparison.js";
import { figuresOfComparison } from "../charts/comparison-charts.js";
import { compareCommandLine } from "../command.js";
import { comparisonHeadline, comparisonNotes, comparisonTable, runNames } from "../comparison.js";
import { caseLabel } from "../labels.js";
import { counted, percent, ratio, share } from "../numbers.js";
import { type HtmlAssets, htmlDocument } from "./document.js";
import { commands, facts, figureHtml, numberTable, pageHeader, safe, scrolling, section } from "./parts.js";

/** Recorded runs side by side, as a page in one file. */
export function renderComparisonHtml(result: RunComparison, assets: HtmlAssets): string {
  const { tool, settings, runs } = result;
  const [sentence, ...lede] = comparisonHeadline(result);
  const names = runNames(runs);
  const stored = caseLabel({ ...settings, opmath: "fp32" });
  const rows: [string, string][] = [
    ...runs.map(({ stepNumbers, totals }, i): [string, string] => [
      names[i],
      `${counted(totals.elements, "weight")}, ${counted(stepNumbers.length, "step")}`,
    ]),
    ["updates counted as stored as", stored],
    ["seed", String(settings.seed)],
    ["tool", `${tool.name} ${tool.version}`],
  ];
  const body = [
    pageHeader(tool, sentence, lede, tiles(result)),
    "<main>",
    ...figuresOfComparison(result).map((figure) => `<section>${figureHtml(figure, "h2")}</section>`),
    section("runs", "Run by run", scrolling("Numbers by run", numberTable(comparisonTable(result)))),
    section("settings", "Settings", facts(rows)),
    section("reproduce", "To compare again", commands([compareCommandLine(result)])),
    "</main>",
    `<footer>${comparisonNotes(result, (_, i) => names[i])
      .map((note) => `<p>${safe(note)}</p>`)
      .join("\n")}</footer>`,
  ];
  return htmlDocument(`${sentence} ${tool.name}`, body.join("\n"), null, assets);
}

/** Of the first two runs: what is retained, and what looks unchanged. */
function tiles({ runs }: RunComparison): [string, string][] {
  const names = runNames(runs);
  return runs.slice(0, 2).flatMap(({ totals, end }, i): [string, string][] => [
    [`of the fp32 displacement is retained: ${names[i]}`, ratio(end.retained)],
    [
      `of the weights look unchanged: ${names[i]}`,
      percent(share(end.unchanged, totals.elements - end.nonfinite)),
    ],
  ]);
}
