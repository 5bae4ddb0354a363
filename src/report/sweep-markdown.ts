import type { SweepResult } from "../lens/sweep.js";
import { caseLabel } from "./labels.js";
import { escaped, table } from "./markdown.js";
import { progressTexts, rateText, sweepNotes, sweepSentences, sweepSize } from "./sweep-table.js";

/** A sweep in Markdown: the answers, and progress by case and rate. */
export function renderSweepMarkdown(result: SweepResult): string {
  const progress = progressTexts(result);
  const rows = result.answers.cases.map((of, i) => [
    caseLabel(of),
    String(of.bitsPerWeight),
    rateText(of.learnsFrom),
    rateText(of.keepsFrom),
    ...progress[i],
  ]);
  const headings = [
    "stored as",
    "bits a weight",
    "learns from",
    "keeps from",
    ...result.rates.map((rate) => `at ${rateText(rate)}`),
  ];
  return [
    "# Precision lens: sweep",
    `${sweepSize(result)}.`,
    ...sweepSentences(result).map(escaped),
    table(headings, rows),
    escaped(sweepNotes(result).join(" ")),
  ]
    .join("\n\n")
    .concat("\n");
}
