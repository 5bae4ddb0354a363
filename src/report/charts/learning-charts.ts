import type { LearnResult, LearnRun, LearnStep } from "../../lens/learning/learning.js";
import { isFp32, type LearnRow } from "../../lens/learning/learning-summary.js";
import { caseLabel } from "../labels.js";
import type { LearnGroup } from "../learning.js";
import { missing, percent } from "../numbers.js";
import { rateText } from "../sweep.js";
import { classChart } from "./class-chart.js";
import { type Figure, figureName, half } from "./figure.js";
import { drawLines, type LineChart } from "./line-chart.js";
import { passChart } from "./pass-chart.js";

/** Steps averaged per point of a curve: a step has 128 answers, so its share varies by four percentage points. */
const smoothed = 20;

/** The figures of models of one kind of training and one rate. */
export interface LearnFigures {
  readonly reward: Figure;
  readonly moved: Figure;
  readonly classes: Figure;
  readonly pass: Figure;
}

export function learnFigures(result: LearnResult, group: LearnGroup): LearnFigures {
  const models = group.rows.map((row) => ({
    label: caseLabel(row),
    runs: result.runs.filter((run) => isOf(run, row)),
  }));
  // fp32 is the reference for the others.
  const others = models.filter(({ runs }) => !isFp32(runs[0]));
  const counted = [...others, ...models.filter((model) => !others.includes(model))];
  const [{ run, lr }] = group.rows;
  const subject = `${run}-${rateText(lr)}`;
  const what = `${run} at ${rateText(lr)}`;
  return {
    reward: rewardChart(models, subject, what),
    moved: movedChart(models, subject, what),
    classes: {
      ...classChart(
        counted.map(({ runs }) => runs[0]),
        percent,
        counted.map(({ label }) => label),
      ),
      name: figureName("classes", subject),
    },
    pass: passChart({
      name: figureName("pass-at-k", subject),
      what,
      base: meanRates(models[0].runs.map(({ base }) => base.passAt)),
      models: models.map(({ label, runs }) => ({
        label,
        rates: meanRates(runs.map(({ outcome }) => outcome.passAt)),
      })),
      prompts: `all ${result.input.prompts.toLocaleString("en-US")} prompts`,
    }),
  };
}

interface Model {
  readonly label: string;
  /** One per seed. */
  readonly runs: readonly LearnRun[];
}

function isOf(run: LearnRun, row: LearnRow): boolean {
  return run.run === row.run && run.lr === row.lr && caseLabel(run) === caseLabel(row);
}

/** The share of right answers by step; for sft, which draws no answers, the loss. */
function rewardChart(models: readonly Model[], subject: string, what: string): Figure {
  const draws = models[0].runs[0].steps.some(({ reward }) => reward !== null);
  const format = draws
    ? (x: number) => `${Number((100 * x).toFixed(1))}%`
    : (x: number) => String(Number(x.toPrecision(2)));
  const series = models.map(({ label, runs }, i) => ({
    label,
    values: byStep(runs, (step) => (draws ? step.reward : step.loss)),
    ink: i,
  }));
  const least = Math.min(...series.flatMap(({ values }) => values.filter((x) => x !== null)));
  const inOrder = series.toSorted((a, b) => a.values.at(-1)! - b.values.at(-1)!);
  const ends = (draws ? inOrder.toReversed() : inOrder).map(
    ({ label, values }) => `${format(values.at(-1)!)} as ${label}`,
  );
  const shown = [...new Set([ends[0], ends.at(-1)!])];
  return lineFigure(
    figureName(draws ? "reward" : "loss", subject),
    `${what}: ${draws ? "right answers" : "loss"} at the end ${shown.join(", ")}`,
    draws
      ? `Share of the 128 answers of a step that are right, mean of ${smoothed} steps, by way of storing the weights.`
      : `Loss on the right answers, mean of ${smoothed} steps, by way of storing the weights; it draws no answers, so it has no reward.`,
    {
      steps: stepsOf(models),
      series,
      format,
      scale: "linear",
      ...(draws && { from: Math.floor(10 * least) / 10 }),
    },
  );
}

function movedChart(models: readonly Model[], subject: string, what: string): Figure {
  const series = models.map(({ label, runs }, i) => ({
    label,
    values: byStep(runs, movedShare),
    ink: i,
  }));
  const shareOf = ({ runs: [{ totals }] }: Model) => movedShare(totals);
  const [worst] = models.toSorted((a, b) => shareOf(a) - shareOf(b));
  return lineFigure(
    figureName("moved", subject),
    `${what}: ${percent(shareOf(worst))} of the nonzero updates move the weight stored as ${worst.label}`,
    `Of the updates of a step that were not zero, those that move their weight, mean of ${smoothed} steps. The others are lost, or kept in a master or compensation buffer.`,
    { steps: stepsOf(models), series, format: sharePercent, scale: "log" },
  );
}

/** The share of nonzero updates that changed the stored bits. */
function movedShare({ lost, kept, moved }: Pick<LearnStep, "lost" | "kept" | "moved">): number {
  return moved / Math.max(1, lost + kept + moved);
}

function lineFigure(name: string, title: string, caption: string, chart: LineChart): Figure {
  // At most about 30 rows.
  const stride = Math.max(1, Math.ceil(chart.steps.length / 30));
  const rows = chart.steps.flatMap((step, i) =>
    i % stride === 0 || i === chart.steps.length - 1 ? [{ step, i }] : [],
  );
  return {
    name,
    title,
    caption,
    size: { width: half, height: 440 },
    draw: (size, inks) => drawLines(chart, size, inks),
    numbers: {
      headings: ["step", ...chart.series.map(({ label }) => label)],
      rows: rows.map(({ step, i }) => [
        String(step),
        ...chart.series.map(({ values }) => (values[i] === null ? missing : chart.format(values[i]))),
      ]),
    },
  };
}

const stepsOf = ([{ runs }]: readonly Model[]) => runs[0].steps.map(({ step }) => step);

/** The mean over seeds and the last steps; null if a step has no value. */
function byStep(runs: readonly LearnRun[], numberOf: (step: LearnStep) => number | null): (number | null)[] {
  return runs[0].steps.map((_, i) => {
    const recent = runs.flatMap(({ steps }) =>
      steps.slice(Math.max(0, i + 1 - smoothed), i + 1).map(numberOf),
    );
    const known = recent.filter((x) => x !== null);
    return known.length < recent.length ? null : known.reduce((sum, x) => sum + x, 0) / known.length;
  });
}

function meanRates(all: readonly Readonly<Record<string, number>>[]): [k: number, passAt: number][] {
  return Object.keys(all[0]).map((k) => [
    Number(k),
    all.reduce((sum, rates) => sum + rates[k], 0) / all.length,
  ]);
}

function sharePercent(x: number): string {
  if (x !== 0 && x < 0.001) return `${Number((100 * x).toPrecision(1))}%`;
  return `${Number((100 * x).toFixed(1))}%`;
}
