import type { LearnResult } from "../../lens/learning/learning.js";
import { isFp32, summaryOf } from "../../lens/learning/learning-summary.js";
import {
  beside,
  type Fact,
  figures,
  inText,
  note,
  onPage,
  onTerminal,
  type Report,
  type Score,
  section,
  table,
  text,
} from "../blocks/block.js";
import { learnFigures } from "../charts/learning-charts.js";
import { learnCommandLines } from "../command.js";
import { caseLabel } from "../labels.js";
import { type LearnGroup, learnGroups, learnHeadline, learnNotes, learnTables } from "../learning.js";
import { count, counted, percent } from "../numbers.js";

/** Models trained with several ways of storing weights. */
export function learnReport(result: LearnResult): Report {
  const { tool, input, settings, runs } = result;
  const headline = learnHeadline(result);
  return {
    tool,
    title: "Precision lens: does it still learn?",
    headline,
    scores: {
      of: scoresOf(result),
      note: "Of what the model stored in fp32 gains over its base, the share that each gains.",
    },
    lede: [],
    tiles: tiles(result),
    blocks: [
      inText(() => [text([headline.join(" ")])]),
      ...learnGroups(result).map((group) => groupSection(result, group)),
      inText(() => [note(...learnNotes(result))]),
    ],
    skipped: [],
    settings: () => learnFacts(result),
    again: () => ({ heading: "To train these again", commands: learnCommandLines(result) }),
    meaning: learnNotes(result),
    source: `${counted(runs.length, "model")} of ${counted(input.elements, "weight")}, ${counted(settings.steps, "step")}; base ${input.base}`,
  };
}

/** One kind of training and one rate: what was learned, and the classes of updates. */
function groupSection(result: LearnResult, group: LearnGroup) {
  return section(group.title, [
    onTerminal(() => [text([group.title])]),
    onPage(() => {
      const { reward, moved, classes, pass } = learnFigures(result, group);
      return [beside(reward, moved), figures(classes, pass)];
    }),
    ...learnTables(result, group.rows).map((shown) => table(shown)),
  ]);
}

/** The share of fp32's gain for each way of storing, for the first kind of training and rate. */
function scoresOf(result: LearnResult): Score[] {
  return learnGroups(result)[0].rows.flatMap((row): Score[] => {
    if (isFp32(row) || row.gain === null) return [];
    const { mean } = row.gain;
    const shown = `${(100 * mean).toFixed(1)}%`;
    return [{ label: caseLabel(row), share: mean, shown, said: row.run, tone: "plain" }];
  });
}

function tiles({ runs: [{ base }], input, settings }: LearnResult): Fact[] {
  return [
    ["of the prompts the base answers right", percent(base.passAt[1])],
    ["weights of each model", count(input.elements)],
    ["steps of training", count(settings.steps)],
  ];
}

function learnFacts({ input, settings, arithmetic, runs }: LearnResult): Fact[] {
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
  ];
}
