import { type Achievement, crossover, passRates } from "../../lens/learning/outcome.js";
import { type RunComparison, storageOf } from "../../lens/learning/run-comparison.js";
import { runNames } from "../comparison.js";
import { caseLabel } from "../labels.js";
import { percent } from "../numbers.js";
import { shareOfSized } from "../shared-scales.js";
import { classCaption, classChart } from "./class-chart.js";
import type { Figure } from "./figure.js";
import { passChart, type Rates } from "./pass-chart.js";

/** The classes of the updates of each run, and pass@k of runs that state it for several k. */
export function figuresOfComparison(result: RunComparison): Figure[] {
  const { runs } = result;
  const names = runNames(runs);
  const cases = runs.map((run) => ({ ...storageOf(result, run), opmath: "fp32", totals: run.totals }));
  const told = runs.flatMap(({ outcome }, i) => {
    const rates = ratesOf(outcome?.run ?? null);
    if (rates.length <= 1) return [];
    const { base, run } = outcome!;
    return [
      { label: names[i], rates, base: ratesOf(base), below: base && run ? crossover(base, run) : null },
    ];
  });
  const classes = classChart(cases, percent, names);
  const lost = cases.map(({ totals }) => shareOfSized(totals, totals.lost) ?? 0);
  const most = lost.indexOf(Math.max(...lost));
  const title = `${names[most]} loses ${percent(lost[most])} of its nonzero updates, stored as ${caseLabel(cases[most])}`;
  return [
    {
      ...classes,
      title,
      caption: `${classCaption(cases, percent)} One bar for each run.`,
    },
    ...(told.length === 0
      ? []
      : [
          passChart({
            name: "pass-at-k",
            what: "pass@k",
            // Only a common base: runs must not be compared with the base of another.
            base: told.every(({ base }) => base.length > 0 && same(base, told[0].base)) ? told[0].base : null,
            models: told,
            prompts: "the prompts of each run's outcome.json",
          }),
        ]),
  ];
}

function ratesOf(achieved: Achievement | null): Rates {
  return achieved === null ? [] : passRates(achieved).map(({ k, mean }) => [k, mean]);
}

const same = (a: Rates, b: Rates) => JSON.stringify(a) === JSON.stringify(b);
