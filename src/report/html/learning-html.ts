import type { LearnResult } from "../../lens/learning/learning.js";
import { isFp32, summaryOf } from "../../lens/learning/learning-summary.js";
import { figureName } from "../charts/figure.js";
import { learnFigures } from "../charts/learning-charts.js";
import { learnCommandLines } from "../command.js";
import { caseLabel } from "../labels.js";
import { type LearnGroup, learnGroups, learnHeadline, learnNotes, learnTables } from "../learning.js";
import { count, percent } from "../numbers.js";
import { type HtmlAssets, htmlDocument } from "./document.js";
import { commands, facts, figureHtml, numberTable, pageHeader, safe, scrolling, section } from "./parts.js";

/** Models trained under several ways of storing, as a page in one file. */
export function renderLearnHtml(result: LearnResult, assets: HtmlAssets): string {
  const { tool } = result;
  const [sentence, ...lede] = learnHeadline(result);
  const body = [
    pageHeader(tool, sentence, lede, tiles(result)),
    "<main>",
    ...learnGroups(result).map((group) => groupSection(result, group)),
    section("settings", "Settings", facts(learnFacts(result))),
    section("reproduce", "To train these again", commands(learnCommandLines(result))),
    "</main>",
    `<footer>${learnNotes(result)
      .map((note) => `<p>${safe(note)}</p>`)
      .join("\n")}</footer>`,
  ];
  return htmlDocument(`${sentence} ${tool.name}`, body.join("\n"), null, assets);
}

/** Of one kind of training and one rate: what was learned beside what became of the updates. */
function groupSection(result: LearnResult, group: LearnGroup): string {
  const { reward, moved, classes, pass } = learnFigures(result, group);
  const [abilities, ...geometry] = learnTables(result, group.rows);
  return section(
    figureName("group", group.title),
    group.title,
    `<div class="pair">${figureHtml(reward)}${figureHtml(moved)}</div>`,
    figureHtml(classes),
    figureHtml(pass),
    scrolling(`What the models can do: ${group.title}`, numberTable(abilities)),
    ...geometry.map(
      (shown) =>
        `<h3>${safe(`How the weights changed, ${shown.headings[0]}`)}</h3>${scrolling(`${shown.headings[0]}: ${group.title}`, numberTable(shown))}`,
    ),
  );
}

/** The share of fp32's gain that each way to store has, of the first kind of training and rate. */
function tiles(result: LearnResult): [string, string][] {
  const [first] = learnGroups(result);
  const [{ base }] = result.runs;
  const gains = first.rows
    .filter((row) => !isFp32(row) && row.gain !== null)
    .slice(0, 3)
    .map((row): [string, string] => [
      `of what fp32 gains is gained stored as ${caseLabel(row)}, ${row.run}`,
      `${(100 * row.gain!.mean).toFixed(1)}%`,
    ]);
  return [...gains, ["of the prompts the base answers right", percent(base.passAt[1])]];
}

function learnFacts({ input, settings, arithmetic, tool, runs }: LearnResult): [string, string][] {
  const rows = summaryOf({ runs } as LearnResult);
  return [
    [
      "model",
      `a decoder of ${count(input.elements)} weights in ${input.tensors} tensors, base ${input.base}`,
    ],
    ["task", input.task],
    ["models trained", count(runs.length)],
    ["ways of storing", [...new Set(rows.map(caseLabel))].join(", ")],
    ["seeds", [...new Set(runs.map(({ seed }) => seed))].join(", ")],
    ["steps", count(settings.steps)],
    [
      "optimizer",
      `AdamW, betas ${settings.betas.join(" and ")}, eps ${settings.eps}, weight decay ${settings.weightDecay}, gradients clipped to ${settings.clip}`,
    ],
    ["KL over", settings.klPrompts === 0 ? "not asked for (--kl)" : `${count(settings.klPrompts)} prompts`],
    ["arithmetic", arithmetic],
    ["tool", `${tool.name} ${tool.version}`],
  ];
}
