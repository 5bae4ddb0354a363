import { printable } from "../lens/printable.js";
import {
  caseOf,
  isTold,
  type SweepCase,
  type SweepCell,
  type SweepResult,
  sameCase,
} from "../lens/study/sweep.js";
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
  const { answers, settings } = result;
  const formats = [...new Set(answers.cases.map(({ format }) => format))];
  const byFormat = formats.map((format) => {
    const own = answers.cases.filter((answer) => answer.format === format && answer.learnsFrom !== null);
    own.sort((a, b) => a.learnsFrom! - b.learnsFrom! || a.bitsPerWeight - b.bitsPerWeight);
    const [best] = own;
    if (!best) return `${printable(format)} none`;
    const how = caseLabel(best).slice(printable(format).length + 1);
    return `${printable(format)} ${rateText(best.learnsFrom)} (${how})`;
  });
  const rates = settings.rate === "lr" ? "learning rate" : "scale of the recorded updates";
  return [
    ...leftOutSentences(result.skipped, result.input.elements),
    ...nonfiniteInWords(result),
    `Smallest ${rates} at which each format still learns, of those tried: ${byFormat.join(", ")}.`,
    `Cheapest that keeps its updates: ${cheapestInWords(result)}.`,
    ...castSentences(result.casts),
  ];
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

/** Merges consecutive rates with the same cheapest case. */
function cheapestInWords({ answers: { cheapest } }: SweepResult): string {
  type Cheapest = (typeof cheapest)[number]["case"];
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
  return runs
    .map(({ of: sweepCase, from, to }, i) => {
      const what = sweepCase ? `${caseLabel(sweepCase)} (${sweepCase.bitsPerWeight} bits a weight)` : "none";
      if (runs.length === 1 && from !== to) return `${what} at ${sweepCase ? "every" : "any"} rate`;
      if (from === to) return `${what} at ${rateText(from)}`;
      return `${what} from ${rateText(from)} ${i === runs.length - 1 ? "on" : `to ${rateText(to)}`}`;
    })
    .join(", ");
}

/** The range of a share below and above 1. */
function range(share: number): string {
  return `${share} to ${Number((2 - share).toPrecision(6))}`;
}

/** The meaning of the numbers, and the effect of noise on them. */
export function sweepNotes({ cells, settings, input }: SweepResult): string[] {
  // Below 0.1 it is comparable to the rounding of an fp32 run.
  const [noisiest] = cells
    .filter(({ end, rounding }) => rounding === "stochastic" && (end.noise ?? 0) >= 0.1)
    .sort((a, b) => b.end.noise! - a.end.noise!);
  const isSample = input.elements < (input.synthetic?.parameters ?? 0);
  const chance = `the noise of stochastic rounding${isSample ? " and by which weights of the model were drawn" : ""}`;
  const untold = cells.some((cell) => !isTold(cell, settings.learns));
  return [
    "Retained: the share of the displacement of an fp32 run with the same updates that weight and carrier hold at the end. " +
      `A case learns if it retains ${range(settings.learns)}, there and at all rates above; it keeps its updates at ${range(settings.keeps)}.`,
    ...(noisiest === undefined
      ? []
      : [
          "Noise: what weight and carrier hold beside the fp32 displacement, relative to it; noise/weight: relative to the " +
            `weights. It decides nothing here. It is largest for ${caseLabel(noisiest)} at ${rateText(noisiest.rate)}: ` +
            `${ratio(noisiest.end.noise)} times the displacement, ${ratio(noisiest.end.noiseToWeight)} of the weights. Runs ` +
            "have learned with noise of several times the displacement; how much a run bears is not known from counts.",
        ]),
    ...(cells.some(({ standardError }) => (standardError ?? 0) >= 0.005)
      ? [`±: standard error of retained, by ${chance}; three of them are allowed for.`]
      : []),
    ...(untold ? ["?: too uncertain to be called learning; more weights would tell."] : []),
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

/** The formatted shares retained, one row per case. */
export function retainedTexts(result: SweepResult): string[][] {
  return cellsByCase(result).map((cells) =>
    cells.map((cell) => {
      const { end, standardError } = cell;
      const error = standardError !== null && standardError >= 0.005 ? `±${ratio(standardError)}` : "";
      return `${ratio(end.retained)}${error}${isTold(cell, result.settings.learns) ? "" : "?"}`;
    }),
  );
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
