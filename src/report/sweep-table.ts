import { printable } from "../lens/printable.js";
import { caseOf, isTold, type SweepCase, type SweepCell, type SweepResult, sameCase } from "../lens/sweep.js";
import { type Column, layOut, wrap } from "./columns.js";
import { caseLabel } from "./labels.js";
import { count, missing, ratio } from "./numbers.js";
import { skippedLines } from "./skipped.js";
import { plainTerminal, styles, type Terminal } from "./terminal.js";

/** A sweep as text for a terminal: the answers first, then how far each case came at each rate. */
export function renderSweepTable(result: SweepResult, terminal: Terminal = plainTerminal): string {
  const { bold, dim } = styles(terminal);
  const width = Math.min(terminal.columns, 100);
  const { skipped } = result;
  const boldFirst = ([first, ...rest]: string[]) => [bold(first), ...rest];
  const blocks = [
    [bold(sweepSize(result))],
    sweepSentences(result).flatMap((sentence) => wrap(sentence, width)),
    boldFirst(answerTable(result)),
    ...progressTables(result, terminal.columns).map(boldFirst),
    sweepNotes(result).flatMap((note) => wrap(note, width).map(dim)),
    skipped.length > 0 ? skippedLines(skipped).map(dim) : [],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

/** "200,000 weights, 20 steps at each of 7 learning rates" */
export function sweepSize({ input, rates, settings }: SweepResult): string {
  const steps = input.stepNumbers.length === 1 ? "1 step" : `${count(input.stepNumbers.length)} steps`;
  const one = rates.length === 1;
  const what = settings.rate === "lr" ? "learning rate" : "scale";
  return `${count(input.elements)} weights, ${steps} at ${one ? `one ${what}` : `each of ${rates.length} ${what}s`}`;
}

/** The answers in sentences: from which rate on each format learns, and what keeps updates at least cost. */
export function sweepSentences(result: SweepResult): string[] {
  const { answers, settings } = result;
  const formats = [...new Set(answers.cases.map(({ format }) => format))];
  const byFormat = formats.map((format) => {
    const own = answers.cases.filter((of) => of.format === format && of.learnsFrom !== null);
    own.sort((a, b) => a.learnsFrom! - b.learnsFrom! || a.bitsPerWeight - b.bitsPerWeight);
    const [best] = own;
    if (!best) return `${printable(format)} none`;
    const how = caseLabel(best).slice(printable(format).length + 1);
    return `${printable(format)} ${rateText(best.learnsFrom)} (${how})`;
  });
  const rates = settings.rate === "lr" ? "learning rate" : "scale of the recorded updates";
  return [
    `Smallest ${rates} at which each format still learns: ${byFormat.join(", ")}.`,
    `Cheapest that keeps its updates: ${cheapestInWords(result)}.`,
  ];
}

/** Rates next to each other with the same cheapest case are told as one. */
function cheapestInWords({ answers: { cheapest } }: SweepResult): string {
  type Cheapest = (typeof cheapest)[number]["case"];
  const runs: { of: Cheapest; from: number; to: number }[] = [];
  for (const { rate, case: of } of cheapest) {
    const last = runs.at(-1);
    if (last && (of === null || last.of === null ? of === last.of : sameCase(of, last.of))) last.to = rate;
    else runs.push({ of, from: rate, to: rate });
  }
  return runs
    .map(({ of, from, to }, i) => {
      const what = of ? `${caseLabel(of)} (${of.bitsPerWeight} bits a weight)` : "none";
      if (runs.length === 1 && from !== to) return `${what} at ${of ? "every" : "any"} rate`;
      if (from === to) return `${what} at ${rateText(from)}`;
      return `${what} from ${rateText(from)} ${i === runs.length - 1 ? "on" : `to ${rateText(to)}`}`;
    })
    .join(", ");
}

/** A share, and as far above 1. */
function range(share: number): string {
  return `${share} to ${Number((2 - share).toPrecision(6))}`;
}

/** What the numbers are, and what of them noise hides. */
export function sweepNotes({ cells, settings }: SweepResult): string[] {
  const noise = ({ standardError, totals }: SweepCell) => (standardError ?? 0) * Math.sqrt(totals.elements);
  const noisiest = cells.toSorted((a, b) => noise(b) - noise(a))[0];
  const noisy = noise(noisiest) > 0;
  const carried = cells.some(({ scheme }) => scheme !== "in-place");
  const untold = cells.some((cell) => !isTold(cell, settings.learns));
  return [
    `Learning is progress of ${range(settings.learns)}, there and at all rates above; keeping is progress of ${range(settings.keeps)}. ` +
      "Progress: how far along the way of an fp32 run with the same updates the stored weights came. Much more than 1 is " +
      "the noise of a coarse format.",
    ...(carried
      ? ["A carrier shows late what it keeps: over more steps, cases with one learn at smaller rates."]
      : []),
    ...(noisy
      ? [
          "±: standard error, by the noise of stochastic rounding; three of them are allowed for. Weights come so far on the " +
            `average: noise takes a single one up to ${Number(noise(noisiest).toPrecision(2))} times as far as its updates ` +
            `(${caseLabel(noisiest)} at ${rateText(noisiest.rate)}).`,
        ]
      : []),
    ...(untold ? ["?: too noisy to be called learning; more weights would tell."] : []),
  ];
}

/** One row a case: its cost, and the rates from which on it learns and keeps its updates. */
function answerTable({ answers: { cases } }: SweepResult): string[] {
  const column = (heading: string, cells: readonly string[]) => ({ heading, align: "right", cells }) as const;
  return layOut([
    { heading: "stored as", align: "left", cells: cases.map((of) => caseLabel(of)) },
    column(
      "bits a weight",
      cases.map(({ bitsPerWeight }) => String(bitsPerWeight)),
    ),
    column(
      "learns from",
      cases.map(({ learnsFrom }) => rateText(learnsFrom)),
    ),
    column(
      "keeps from",
      cases.map(({ keepsFrom }) => rateText(keepsFrom)),
    ),
  ]);
}

/** Progress by case and rate, in as many tables as the terminal asks for. */
function progressTables(result: SweepResult, columns: number): string[][] {
  const { rates } = result;
  const cases = casesOf(result);
  const labels = cases.map((of) => caseLabel(of));
  const progress = progressTexts(result);
  const widest = Math.max(...[...rates.map(rateText), ...progress.flat()].map(({ length }) => length));
  const room = columns - Math.max("progress at".length, ...labels.map(({ length }) => length));
  const most = Math.max(1, Math.floor(room / (widest + 2)));
  const perTable = Math.ceil(rates.length / Math.ceil(rates.length / most));
  const tables: string[][] = [];
  for (let first = 0; first < rates.length; first += perTable) {
    const columns = rates.slice(first, first + perTable).map(
      (rate, i): Column => ({
        heading: rateText(rate),
        align: "right",
        cells: progress.map((row) => row[first + i]),
      }),
    );
    tables.push(layOut([{ heading: "progress at", align: "left", cells: labels }, ...columns]));
  }
  return tables;
}

/** The cases of a sweep, in the order of its grid. */
export function casesOf({ cells, rates }: SweepResult): SweepCase[] {
  return cells.filter(({ rate }) => rate === rates[0]).map(caseOf);
}

/** The cells of each case, by rate. */
export function cellsByCase(result: SweepResult): SweepCell[][] {
  return casesOf(result).map((of) => result.cells.filter((cell) => sameCase(cell, of)));
}

/** Progress as it is shown, a row a case. */
export function progressTexts(result: SweepResult): string[][] {
  return cellsByCase(result).map((cells) =>
    cells.map((cell) => {
      const { end, standardError } = cell;
      const error = standardError !== null && standardError >= 0.005 ? `±${ratio(standardError)}` : "";
      return `${ratio(end.effectiveDescent)}${error}${isTold(cell, result.settings.learns) ? "" : "?"}`;
    }),
  );
}

/** 0.000001 -> "1e-6", 0.1 -> "0.1" */
export function rateText(rate: number | null): string {
  if (rate === null) return missing;
  return rate < 0.01 ? rate.toExponential() : String(rate);
}
