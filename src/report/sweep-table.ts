import { caseOf, type SweepCase, type SweepResult, sameCase } from "../lens/sweep.js";
import { type Column, layOut, wrap } from "./columns.js";
import { caseLabel } from "./labels.js";
import { count, missing, ratio } from "./numbers.js";
import { skippedLines } from "./skipped.js";
import { plainTerminal, styles, type Terminal } from "./terminal.js";

/** A sweep as text for a terminal: the answers first, then how far each case came at each rate. */
export function renderSweepTable(result: SweepResult, terminal: Terminal = plainTerminal): string {
  const { bold, dim } = styles(terminal);
  const width = Math.min(terminal.columns, 100);
  const { input, skipped } = result;
  const steps = input.stepNumbers.length === 1 ? "1 step" : `${count(input.stepNumbers.length)} steps`;
  const boldFirst = ([first, ...rest]: string[]) => [bold(first), ...rest];
  const blocks = [
    [`${bold(`${count(input.elements)} weights`)}, ${steps} at each of ${result.rates.length} rates`],
    sweepSentences(result).flatMap((sentence) => wrap(sentence, width)),
    boldFirst(learningTable(result)),
    ...descentTables(result, terminal.columns).map(boldFirst),
    wrap(
      "Progress: how far along the way of an fp32 run with the same updates the stored weights came. Much more than 1 is " +
        "the noise of a coarse format.",
      width,
    ).map(dim),
    skipped.length > 0 ? skippedLines(skipped).map(dim) : [],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

/** The answers in sentences: from which rate on each format learns at all, and what keeps updates at least cost. */
export function sweepSentences({ answers, settings }: SweepResult): string[] {
  const formats = [...new Set(answers.learnsFrom.map(({ format }) => format))];
  const byFormat = formats.map((format) => {
    const own = answers.learnsFrom.filter((of) => of.format === format && of.rate !== null);
    own.sort((a, b) => a.rate! - b.rate! || a.bitsPerWeight - b.bitsPerWeight);
    const [best] = own;
    return best
      ? `${format} from ${rateText(best.rate!)} (${caseLabel(best)})`
      : `${format} at none of the rates`;
  });
  const kept = answers.cheapest.filter(({ case: of }) => of !== null);
  const runs: string[] = [];
  for (const [i, { rate, case: of }] of kept.entries()) {
    const before = kept[i - 1]?.case;
    if (before && sameCase(before, of!)) continue;
    runs.push(`from ${rateText(rate)} on ${caseLabel(of!)} (${of!.bitsPerWeight} bits a weight)`);
  }
  const learning = `Learning (progress of ${range(settings.learns)}): ${byFormat.join(", ")}.`;
  const cheapest =
    runs.length === 0
      ? `Keeping the updates (progress of ${range(settings.keeps)}): no case at any rate.`
      : `Cheapest that keeps the updates (progress of ${range(settings.keeps)}): ${runs.join(", ")}.`;
  return [learning, cheapest];
}

/** A share, and as far above 1. */
function range(share: number): string {
  return `${share} to ${Number((2 - share).toPrecision(6))}`;
}

/** One row a case: its cost, and the rate from which on it learns. */
function learningTable({ answers }: SweepResult): string[] {
  const rows = answers.learnsFrom;
  return layOut([
    { heading: "stored as", align: "left", cells: rows.map((of) => caseLabel(of)) },
    { heading: "bits", align: "right", cells: rows.map(({ bitsPerWeight }) => String(bitsPerWeight)) },
    {
      heading: "learns from",
      align: "right",
      cells: rows.map(({ rate }) => (rate === null ? missing : rateText(rate))),
    },
  ]);
}

/** Progress by case and rate, in as many tables side by side as the terminal is wide. */
function descentTables({ rates, cells }: SweepResult, columns: number): string[][] {
  const cases = cells.filter(({ rate }) => rate === rates[0]).map(caseOf);
  const labels = cases.map((of) => caseLabel(of));
  const room = columns - Math.max("progress at".length, ...labels.map(({ length }) => length));
  const most = Math.max(1, Math.floor(room / 10));
  const perTable = Math.ceil(rates.length / Math.ceil(rates.length / most));
  const tables: string[][] = [];
  for (let first = 0; first < rates.length; first += perTable) {
    const ofTable = rates.slice(first, first + perTable);
    tables.push(
      layOut([
        { heading: "progress at", align: "left", cells: labels },
        ...ofTable.map(
          (rate): Column => ({
            heading: rateText(rate),
            align: "right",
            cells: cases.map((of) => ratio(descentAt(cells, of, rate))),
          }),
        ),
      ]),
    );
  }
  return tables;
}

export function descentAt(cells: SweepResult["cells"], of: SweepCase, rate: number): number | null {
  const cell = cells.find((candidate) => candidate.rate === rate && sameCase(candidate, of));
  return cell?.end.effectiveDescent ?? null;
}

/** 0.000001 -> "1e-6", 0.1 -> "0.1" */
export function rateText(rate: number): string {
  return rate < 0.01 ? rate.toExponential() : String(rate);
}
