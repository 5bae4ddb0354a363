import { printable } from "../lens/printable.js";
import {
  type CaseAnswer,
  caseOf,
  retains,
  type SweepAnswers,
  type SweepCase,
  type SweepCell,
  type SweepResult,
  sameCase,
} from "../lens/study/sweep.js";
import { tableOf } from "./blocks/block.js";
import { castSentences } from "./cast-note.js";
import { caseLabel } from "./labels.js";
import { nonfiniteShare } from "./nonfinite.js";
import { count, counted, missing, ratio } from "./numbers.js";
import { leftOutSentences } from "./skipped.js";

/** "200,000 weights, 20 steps at each of 7 learning rates" */
export function sweepSize({ input, rates, settings }: SweepResult): string {
  const steps = counted(input.stepNumbers.length, "step");
  const one = rates.length === 1;
  const what = settings.rate === "lr" ? "learning rate" : "scale";
  return `${counted(input.elements, "weight")}, ${steps} at ${one ? `one ${what}` : `each of ${rates.length} ${what}s`}`;
}

/** The answers in sentences: from which rate each format learns, and what keeps updates at the least cost. */
export function sweepSentences(result: SweepResult): string[] {
  const { answers, perhaps, settings } = result;
  const formats = [...new Set(answers.cases.map(({ format }) => format))];
  const byFormat = formats.map((format) => {
    const told = learnsSoonest(answers, format);
    const open = perhaps ? learnsSoonest(perhaps, format) : told;
    const known = told ? [learnsInWords(told)] : open ? [] : ["none"];
    const possible = open && open.learnsFrom !== told?.learnsFrom ? [`perhaps ${learnsInWords(open)}`] : [];
    return `${printable(format)} ${[...known, ...possible].join(" or ")}`;
  });
  const rates = settings.rate === "lr" ? "learning rate" : "scale of the recorded updates";
  return [
    ...leftOutSentences(result.skipped, result.input.elements),
    ...nonfiniteInWords(result),
    `Smallest ${rates} at which each format still learns, of those tried: ${byFormat.join(", ")}.`,
    `Cheapest that keeps its updates: ${cheapestInWords(answers)}.`,
    ...cheaperPerhaps(result),
    ...castSentences(result.casts),
  ];
}

/** The case of a format that learns from the smallest rate on, at the least cost; null if none does. */
function learnsSoonest({ cases }: SweepAnswers, format: string): CaseAnswer | null {
  const own = cases.filter((answer) => answer.format === format && answer.learnsFrom !== null);
  own.sort((a, b) => a.learnsFrom! - b.learnsFrom! || a.bitsPerWeight - b.bitsPerWeight);
  return own[0] ?? null;
}

function learnsInWords(answer: CaseAnswer): string {
  const how = caseLabel(answer).slice(printable(answer.format).length + 1);
  return `${rateText(answer.learnsFrom)} (${how})`;
}

/** The cases that would be cheaper than the answer, if they keep their updates; none where chance leaves none open. */
function cheaperPerhaps({ answers, perhaps }: SweepResult): string[] {
  const open = (perhaps?.cheapest ?? []).map(({ rate, case: possible }, i) => {
    const told = answers.cheapest[i]?.case ?? null;
    return { rate, case: possible && told && sameCase(possible, told) ? null : possible };
  });
  const runs = runsOf(open).filter(({ of: sweepCase }) => sweepCase !== null);
  if (runs.length === 0) return [];
  const cases = runs.map(({ words }) => words).join(", ");
  return [`Chance leaves open whether these keep them: ${cases}; more weights would tell.`];
}

/** Where weights were or became NaN or Inf, and how many at most; none if all stayed finite. */
function nonfiniteInWords({ cells, answers }: SweepResult): string[] {
  const [worst] = cells
    .filter(({ end }) => end.nonfinite > 0)
    .sort((a, b) => b.end.nonfinite - a.end.nonfinite);
  if (worst === undefined) return [];
  const hit = answers.cases.filter((one) =>
    cells.some((cell) => cell.end.nonfinite > 0 && sameCase(cell, one)),
  );
  const of = answers.cases.length;
  return [
    `${nonfiniteShare(worst.end.nonfinite, worst.totals.elements)} were or became NaN or Inf with ${caseLabel(worst)} at ` +
      `${rateText(worst.rate)}${of === 1 ? "" : `, some with ${hit.length} of the ${of} cases`}. ` +
      "Where there are such weights, a case neither learns nor keeps its updates.",
  ];
}

function cheapestInWords({ cheapest }: SweepAnswers): string {
  return runsOf(cheapest)
    .map(({ words }) => words)
    .join(", ");
}

type Cheapest = SweepAnswers["cheapest"][number]["case"];

/** Merges consecutive rates with the same cheapest case, and puts each run in words. */
function runsOf(cheapest: SweepAnswers["cheapest"]): { readonly of: Cheapest; readonly words: string }[] {
  const runs: { of: Cheapest; from: number; to: number }[] = [];
  for (const { rate, case: sweepCase } of cheapest) {
    const last = runs.at(-1);
    if (
      last &&
      (sweepCase === null || last.of === null ? sweepCase === last.of : sameCase(sweepCase, last.of))
    )
      last.to = rate;
    else runs.push({ of: sweepCase, from: rate, to: rate });
  }
  return runs.map(({ of: sweepCase, from, to }, i) => {
    const what = sweepCase ? `${caseLabel(sweepCase)} (${sweepCase.bitsPerWeight} bits a weight)` : "none";
    const words = () => {
      if (runs.length === 1 && from !== to) return `${what} at ${sweepCase ? "every" : "any"} rate`;
      if (from === to) return `${what} at ${rateText(from)}`;
      return `${what} from ${rateText(from)} ${i === runs.length - 1 ? "on" : `to ${rateText(to)}`}`;
    };
    return { of: sweepCase, words: words() };
  });
}

/** The range of a share below and above 1. */
function range(share: number): string {
  return `${share} to ${Number((2 - share).toPrecision(6))}`;
}

/** The meaning of the numbers, and the effect of noise on them. */
export function sweepNotes({ cells, settings, input, perhaps }: SweepResult): string[] {
  // Below 0.1 it is comparable to the rounding of an fp32 run.
  const [noisiest] = cells
    .filter(({ end, rounding }) => rounding === "stochastic" && (end.noise ?? 0) >= 0.1)
    .sort((a, b) => b.end.noise! - a.end.noise!);
  const isSample = input.elements < (input.synthetic?.parameters ?? 0);
  const chance = `the noise of stochastic rounding${isSample ? " and by which weights of the model were drawn" : ""}`;
  return [
    "Retained: the share of the displacement of an fp32 run with the same updates that weight and carrier hold at the end. " +
      `A case learns if it retains ${range(settings.learns)}, there and at all rates above; it keeps its updates at ${range(settings.keeps)}.`,
    ...(noisiest === undefined
      ? []
      : [
          "Noise: how far weight and carrier are from the fp32 displacement, relative to it; noise/weight: relative to the " +
            `weights. It decides nothing here. It is largest for ${caseLabel(noisiest)} at ${rateText(noisiest.rate)}: ` +
            `${ratio(noisiest.end.noise)} times the displacement, ${ratio(noisiest.end.noiseToWeight)} of the weights. Runs ` +
            "have learned with noise of several times the displacement; how much a run bears is not known from counts.",
        ]),
    ...(cells.some(({ standardError }) => (standardError ?? 0) >= shownError)
      ? [`±: standard error of retained, by ${chance}.`]
      : []),
    ...(perhaps
      ? [
          "?: cannot be told, because three standard errors reach to either side of a limit; more weights would tell. Beside a rate: " +
            "perhaps from a smaller one on.",
        ]
      : []),
    ...(cells.some(({ end }) => end.retained === null && end.visible !== null)
      ? [
          "Where retained is missing, an earlier release made the result, which did not measure it: sweep again.",
        ]
      : []),
  ];
}

/** The cases of a sweep, in grid order. */
export function casesOf({ cells, rates }: SweepResult): SweepCase[] {
  return cells.filter(({ rate }) => rate === rates[0]).map(caseOf);
}

/** The cells of each case, by rate. */
export function cellsByCase(result: SweepResult): SweepCell[][] {
  return casesOf(result).map((sweepCase) => result.cells.filter((cell) => sameCase(cell, sweepCase)));
}

/** A smaller standard error is not shown: three of it are within the usual margin of what keeps its updates. */
const shownError = 0.002;

/** The formatted shares retained, one row per case; "?" where they do not tell whether it learns. */
export function retainedTexts(result: SweepResult): string[][] {
  return cellsByCase(result).map((cells) =>
    cells.map((cell) => {
      const { end, standardError } = cell;
      const error = standardError !== null && standardError >= shownError ? `±${ratio(standardError)}` : "";
      return `${ratio(end.retained)}${error}${retains(cell, result.settings.learns) === null ? "?" : ""}`;
    }),
  );
}

/** The rates from which a case learns and keeps its updates; with "?" where chance leaves open whether it is a smaller one. */
export function answerTexts({ answers, perhaps = answers }: SweepResult, answer: CaseAnswer) {
  const open = perhaps.cases.find((other) => sameCase(other, answer)) ?? answer;
  const text = (told: number | null, possible: number | null) => {
    if (possible === told) return rateText(told);
    return told === null ? "?" : `${rateText(told)}?`;
  };
  return {
    learns: text(answer.learnsFrom, open.learnsFrom),
    keeps: text(answer.keepsFrom, open.keepsFrom),
  };
}

/** One row per case: its cost, and the rates from which it learns and keeps its updates. */
export function answerTable(result: SweepResult, cases: readonly CaseAnswer[] = result.answers.cases) {
  return tableOf(cases, [
    ["stored as", caseLabel],
    ["bits a weight", ({ bitsPerWeight }) => String(bitsPerWeight)],
    ["learns from", (answer) => answerTexts(result, answer).learns],
    ["keeps from", (answer) => answerTexts(result, answer).keeps],
  ]);
}

/** The formatted noise, one row per case; empty unless stochastic. */
export function noiseTexts(result: SweepResult, name: "noise" | "noiseToWeight"): string[][] {
  return cellsByCase(result).map((cells) =>
    cells[0].rounding === "stochastic" ? cells.map(({ end }) => ratio(end[name])) : [],
  );
}

/** How many weights were or became NaN or Inf, one row per case; empty where all stayed finite at every rate. */
export function nonfiniteTexts(result: SweepResult): string[][] {
  return cellsByCase(result).map((cells) =>
    cells.some(({ end }) => end.nonfinite > 0) ? cells.map(({ end }) => count(end.nonfinite)) : [],
  );
}

/** 0.000001 -> "1e-6", 0.1 -> "0.1" */
export function rateText(rate: number | null): string {
  if (rate === null) return missing;
  return rate < 0.01 || rate >= 1e5 ? rate.toExponential() : String(rate);
}
