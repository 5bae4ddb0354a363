import type { CaseAnswer, SweepResult } from "../../lens/study/sweep.js";
import { caseLabel } from "../labels.js";
import { ratio } from "../numbers.js";
import { answerTable, answerTexts, cellsByCase, rateText, retainedTexts } from "../sweep.js";
import { type Figure, figureName, type Size, wide } from "./figure.js";
import { drawLines, type Series } from "./line-chart.js";
import type { Palette } from "./palette.js";
import { rowLayout } from "./rows.js";
import { line, rect, text } from "./svg.js";

/** The figures of a sweep, in the order of its report. */
export interface SweepFigures {
  readonly cost: Figure;
  readonly retained: readonly Figure[];
}

export function sweepFigures(result: SweepResult): SweepFigures {
  const { cases } = result.answers;
  const formats = [...new Set(cases.map(({ format }) => format))];
  const groups = cases.length <= mostLines ? [null] : formats;
  const retained = groups.map((format) => retainedChart(result, format));
  // Different names of formats may give the same file name.
  const names = retained.map(({ name }) => name);
  return {
    cost: costChart(result),
    retained: retained.map((figure, i) =>
      names.indexOf(figure.name) < i ? { ...figure, name: `${figure.name}-${i + 1}` } : figure,
    ),
  };
}

/** The maximum number of lines per picture; with more cases, each format has its own picture. */
const mostLines = 6;

/** Shares beyond these are equivalent: far more or far less than can be retained. */
const [least, most] = [-1, 2];

/** The share retained by each case over the rates; for one format, or all. */
function retainedChart(result: SweepResult, format: string | null): Figure {
  const { rates, answers, settings } = result;
  const texts = retainedTexts(result);
  const own = cellsByCase(result)
    .map((cells, i) => ({ cells, answer: answers.cases[i], texts: texts[i] }))
    .filter(({ answer }) => format === null || answer.format === format);
  const retained = own.map(({ cells }) => cells.map(({ end }) => end.retained));
  const series: Series[] = [
    ...retained.map((values, i) => ({ label: caseLabel(own[i].answer), values, ink: i })),
    { label: "keeps", values: rates.map(() => settings.keeps), ink: null },
    { label: "learns", values: rates.map(() => settings.learns), ink: null },
  ];
  const values = retained.flat().filter((value) => value !== null);
  const beyond = [
    ...(values.some((value) => value > most) ? [`above ${most} as ${most}`] : []),
    ...(values.some((value) => value < least) ? [`below ${least} as ${least}`] : []),
  ];
  const what = settings.rate === "lr" ? "learning rate" : "scale of the recorded updates";
  return {
    name: figureName("retained", format ?? "by-rate"),
    title: own
      .slice(0, 3)
      .map(({ answer }, i) => {
        const verb = i === 0 ? " learns" : "";
        return `${caseLabel(answer)}${verb} ${answer.learnsFrom === null ? learnsNowhere(result, answer) : `from ${rateText(answer.learnsFrom)}`}`;
      })
      .join(", "),
    caption:
      `The share of the fp32 displacement that weight and carrier hold at the end, by ${what}. Dashed and grey: ` +
      `${settings.learns} learns, ${settings.keeps} keeps its updates.${beyond.length > 0 ? ` Drawn: ${beyond.join(", ")}.` : ""}`,
    size: { width: wide, height: 440 },
    draw: (size, inks) =>
      drawLines(
        {
          steps: rates.map(rateText),
          axis: `${what}, logarithmic`,
          at: rates.map(Math.log),
          series,
          format: (value) => Number(value.toPrecision(2)).toString(),
          scale: "linear",
          within: [least, most],
        },
        size,
        inks,
      ),
    numbers: {
      headings: ["stored as", ...rates.map(rateText)],
      rows: own.map(({ answer, texts }) => [caseLabel(answer), ...texts]),
    },
  };
}

/** The title: what learns from the smallest rate on, at the least cost. */
export function costTitle({ answers, perhaps, settings }: SweepResult): string {
  const [best] = answers.cases
    .filter(({ learnsFrom }) => learnsFrom !== null)
    .sort((a, b) => a.learnsFrom! - b.learnsFrom! || a.bitsPerWeight - b.bitsPerWeight);
  if (best === undefined) {
    return perhaps?.cases.some(({ learnsFrom }) => learnsFrom !== null)
      ? "Nothing surely learns at any rate of the sweep"
      : "Nothing learns at any rate of the sweep";
  }
  const rate = settings.rate === "lr" ? "a learning rate" : "a scale";
  return `${caseLabel(best)}, at ${best.bitsPerWeight} bits a weight, learns from ${rate} of ${rateText(best.learnsFrom)} on`;
}

/** Of a case that is not known to learn at any rate. */
function learnsNowhere(result: SweepResult, answer: CaseAnswer): string {
  return answerTexts(result, answer).learns === "?" ? "perhaps" : "at no rate";
}

/** The rate from which each case learns and keeps its updates, in ascending order of bits. */
function costChart(result: SweepResult): Figure {
  const { answers, settings } = result;
  const cases = [...answers.cases].sort((a, b) => a.bitsPerWeight - b.bitsPerWeight);
  const what = settings.rate === "lr" ? "learning rates" : "scales of the recorded updates";
  return {
    name: "cost",
    title: costTitle(result),
    caption:
      `The ${what} at which each case learns (light: ${settings.learns} of the fp32 displacement retained) and keeps ` +
      `its updates (dark: ${ratio(settings.keeps)}), by the bits that a weight and its carrier take.`,
    size: { width: wide, height: 70 + Math.min(cases.length, 24) * (cases.length > 8 ? 42 : 54) },
    draw: (size, inks) => drawCost(cases, result, size, inks),
    numbers: answerTable(result, cases),
  };
}

function drawCost(
  cases: readonly CaseAnswer[],
  result: SweepResult,
  { width, height }: Size,
  inks: Palette,
): string {
  const { rates } = result;
  const below = 70;
  const labels = cases.map((answer) => `${caseLabel(answer)}, ${answer.bitsPerWeight} bits`);
  const rows = rowLayout(labels, { width, height: height - below }, { tallest: 96 });
  const { left, step, font } = rows;
  // Half a step of the sweep before the first and after the last rate, because each bar covers a rate, not a point.
  const margin = (rows.width - 24) / (2 * rates.length);
  const [low, high] = [Math.log(rates[0]), Math.log(rates.at(-1)!)];
  const span = rows.width - 24 - 2 * margin;
  const x = (rate: number) =>
    left + margin + (high > low ? (Math.log(rate) - low) / (high - low) : 0.5) * span;
  const right = left + rows.width - 24;
  const bottom = cases.length * step;
  const bar = Math.min(44, step * 0.56);
  const drawn: string[] = [];
  let free = Number.NEGATIVE_INFINITY;
  for (const rate of rates) {
    drawn.push(line(x(rate), 0, x(rate), bottom + 8, { colour: inks.grid }));
    if (x(rate) < free) continue;
    free = x(rate) + 96;
    drawn.push(text(x(rate), bottom + 34, rateText(rate), { size: 20, fill: inks.muted, anchor: "middle" }));
  }
  for (const [i, answer] of cases.entries()) {
    const { learnsFrom, keepsFrom } = answer;
    const middle = i * step + step / 2;
    const baseline = middle + font * 0.36;
    drawn.push(rows.label(labels[i], baseline, inks));
    if (learnsFrom === null) {
      const style = { size: font, fill: inks.muted, halo: inks.surface };
      drawn.push(text(left + 12, baseline, `learns ${learnsNowhere(result, answer)}`, style));
      continue;
    }
    const from = x(learnsFrom) - margin;
    drawn.push(rect(from, middle - bar / 2, right - from, bar, inks.heat[2], 4));
    if (keepsFrom !== null) {
      const kept = x(keepsFrom) - margin;
      drawn.push(rect(kept, middle - bar / 2, right - kept, bar, inks.heat[6], 4));
    }
  }
  drawn.push(line(left, 0, left, bottom, { colour: inks.line }));
  return drawn.join("\n");
}
