import type { SweepResult } from "../lens/study/sweep.js";
import { caseLabel } from "./labels.js";
import { escaped, table } from "./markdown-text.js";
import { noiseTexts, rateText, retainedTexts, sweepNotes, sweepSentences, sweepSize } from "./sweep-table.js";

const inWords = { noise: "noise", noiseToWeight: "noise/weight" } as const;

/** A sweep in Markdown: the answers, what is retained by case and rate, and the noise of stochastic rounding. */
export function renderSweepMarkdown(result: SweepResult): string {
  const retained = retainedTexts(result);
  const rows = result.answers.cases.map((answer, i) => [
    caseLabel(answer),
    String(answer.bitsPerWeight),
    rateText(answer.learnsFrom),
    rateText(answer.keepsFrom),
    ...retained[i],
  ]);
  const noise = (["noise", "noiseToWeight"] as const).flatMap((name) =>
    noiseTexts(result, name).flatMap((texts, i) =>
      texts.length === 0 ? [] : [[caseLabel(result.answers.cases[i]), inWords[name], ...texts]],
    ),
  );
  const headings = [
    "stored as",
    "bits a weight",
    "learns from",
    "keeps from",
    ...result.rates.map((rate) => `retained at ${rateText(rate)}`),
  ];
  return [
    "# Precision lens: sweep",
    `${sweepSize(result)}.`,
    ...sweepSentences(result).map(escaped),
    table(headings, rows),
    ...(noise.length === 0
      ? []
      : [table(["stored as", "", ...result.rates.map((rate) => `at ${rateText(rate)}`)], noise)]),
    escaped(sweepNotes(result).join(" ")),
  ]
    .join("\n\n")
    .concat("\n");
}
