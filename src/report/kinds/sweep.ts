import type { SweepResult } from "../../lens/study/sweep.js";
import {
  type Block,
  type Fact,
  figures,
  inMarkdown,
  inText,
  note,
  onPage,
  onTerminal,
  type Report,
  section,
  table,
  tableOf,
  text,
} from "../blocks/block.js";
import { costTitle, sweepFigures } from "../charts/sweep-chart.js";
import { sweepCommandLines } from "../command.js";
import { caseLabel } from "../labels.js";
import { counted, missing, ratio } from "../numbers.js";
import { inputFacts, originOf } from "../settings.js";
import { verdictOnAll } from "../skipped.js";
import {
  answerTable,
  answerTexts,
  noiseTexts,
  nonfiniteTexts,
  rateText,
  retainedTexts,
  sweepNotes,
  sweepSentences,
  sweepSize,
} from "../sweep.js";

/** A sweep: the answers, then the share retained by each case at each rate. */
export function sweepReport(result: SweepResult): Report {
  const { tool, input, rates, skipped } = result;
  const headline = sweepSentences(result);
  const size = sweepSize(result);
  return {
    tool,
    title: "Precision lens: sweep",
    headline,
    ...verdictOnAll(skipped, input.elements, `${costTitle(result)}.`),
    lede: [`${size}.`],
    tiles: tiles(result),
    blocks: [
      onTerminal(() => [
        text([size], "strong"),
        text(headline),
        table(answerTable(result)),
        byRate("retained at", result, retainedTexts(result)),
        byRate("nonfinite at", result, nonfiniteTexts(result)),
        byRate("noise at", result, noiseTexts(result, "noise")),
        byRate("noise/weight at", result, noiseTexts(result, "noiseToWeight")),
      ]),
      inMarkdown(() => [
        text([`${size}.`, ...headline]),
        table(allTable(result)),
        table(noiseTable(result)),
        byRate("nonfinite at", result, nonfiniteTexts(result)),
      ]),
      inText(() => [note(...sweepNotes(result))]),
      onPage(() => {
        const { cost, retained } = sweepFigures(result);
        return [
          figures(cost, ...retained),
          section("Cheapest that keeps the updates", [table(cheapestTable(result))]),
        ];
      }),
    ],
    skipped,
    settings: () => [
      ["rates", rates.map(rateText).join(", ")],
      // A synthetic input states a single learning rate, which the sweep does not use.
      ...inputFacts(result).filter(([name]) => !name.endsWith("optimizer: lr")),
    ],
    again: () => ({ heading: "To sweep again", commands: sweepCommandLines(result) }),
    meaning: [...sweepNotes(result), bits],
    source: `${counted(input.elements, "weight")}, ${counted(input.stepNumbers.length, "step")} at ${counted(rates.length, "rate")}${originOf(input)}`,
  };
}

const bits =
  "Bits a weight: those of the weight and of the carrier that keeps what it cannot show; the optimizer's moments, which " +
  "every case has, are not counted.";

function tiles(result: SweepResult): Fact[] {
  return result.answers.cases.slice(0, 4).map((answer) => {
    const what = `${caseLabel(answer)} (${answer.bitsPerWeight} bits a weight)`;
    const { learns } = answerTexts(result, answer);
    if (answer.learnsFrom !== null) return [`is where ${what} begins to learn`, learns];
    return [`of these rates ${what} learns from`, learns === missing ? "none" : learns];
  });
}

/** Numbers by case and rate, without cases that have none. */
function byRate(heading: string, { answers, rates }: SweepResult, texts: readonly string[][]): Block | null {
  const rows = answers.cases.map((answer, i) => [caseLabel(answer), ...texts[i]]);
  const shown = rows.filter((row) => row.length > 1);
  return table({ headings: [heading, ...rates.map(rateText)], rows: shown }, { even: true });
}

/** The answers, and the share retained by case and rate. */
function allTable(result: SweepResult) {
  const { headings, rows } = answerTable(result);
  const retained = retainedTexts(result);
  return {
    headings: [...headings, ...result.rates.map((rate) => `retained at ${rateText(rate)}`)],
    rows: rows.map((row, i) => [...row, ...retained[i]]),
  };
}

/** Both kinds of noise, for stochastic rounding only: under other roundings it is the part that is not retained. */
function noiseTable(result: SweepResult) {
  const kinds = { noise: "noise", noiseToWeight: "noise/weight" } as const;
  return {
    headings: ["stored as", "", ...result.rates.map((rate) => `at ${rateText(rate)}`)],
    rows: (["noise", "noiseToWeight"] as const).flatMap((name) =>
      noiseTexts(result, name).flatMap((texts, i) =>
        texts.length === 0 ? [] : [[caseLabel(result.answers.cases[i]), kinds[name], ...texts]],
      ),
    ),
  };
}

function cheapestTable({ answers }: SweepResult) {
  return tableOf(answers.cheapest, [
    ["rate", ({ rate }) => rateText(rate)],
    ["stored as", ({ case: cheapest }) => (cheapest ? caseLabel(cheapest) : missing)],
    ["bits a weight", ({ case: cheapest }) => (cheapest ? String(cheapest.bitsPerWeight) : missing)],
    ["retained", ({ case: cheapest }) => ratio(cheapest?.retained ?? null)],
    ["noise", ({ case: cheapest }) => ratio(cheapest?.noise ?? null)],
    ["noise/weight", ({ case: cheapest }) => ratio(cheapest?.noiseToWeight ?? null)],
  ]);
}
