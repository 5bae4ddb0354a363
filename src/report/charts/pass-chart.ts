import type { Crossover } from "../../lens/learning/outcome.js";
import { missing } from "../numbers.js";
import { type Figure, wide } from "./figure.js";
import { drawLines, type Series } from "./line-chart.js";

/** pass@k by k, ascending. */
export type Rates = readonly (readonly [k: number, passAt: number])[];

export interface PassModels {
  readonly name: string;
  /** The name of the models, for the title. */
  readonly what: string;
  /** Null if unknown, or if there is no common base. */
  readonly base: Rates | null;
  readonly models: readonly {
    readonly label: string;
    readonly rates: Rates;
    /** Where it falls below the base; absent for rates without chance, which tell it themselves. */
    readonly below?: Crossover | null;
  }[];
  /** The prompts, for the caption. */
  readonly prompts: string;
}

/** The smallest share that a chart of pass@k shows. */
const least = 1e-7;

/**
 * The share of prompts unsolved by k answers, 1 - pass@k, by k and model, on a logarithmic scale, on which models and
 * their base differ most.
 */
export function passChart({ name, what, base, models, prompts }: PassModels): Figure {
  const counts = [
    ...new Set([...(base ?? []), ...models.flatMap(({ rates }) => rates)].map(([k]) => k)),
  ].sort((a, b) => a - b);
  const unsolved = (rates: Rates) => {
    const at = new Map(rates);
    return counts.map((k) => (at.has(k) ? 1 - at.get(k)! : null));
  };
  const series: Series[] = [
    ...models.map(({ label, rates }, i) => ({ label, values: unsolved(rates), ink: i })),
    ...(base ? [{ label: "base", values: unsolved(base), ink: null }] : []),
  ];
  const chart = {
    steps: counts,
    at: counts.map((k) => Math.log2(k)),
    axis: "answers, k",
    series,
    format: unsolvedText,
    scale: "log",
    within: [least, 1],
  } as const;
  return {
    name,
    title: `${what}: ${titleOf(base, models, counts.at(-1)!)}`,
    caption:
      `Share of the prompts that k answers leave unsolved, 1 - pass@k, over ${prompts}; lower is better.` +
      (base ? " Dashed: the base before training." : ""),
    size: { width: wide, height: 520 },
    draw: (size, inks) => drawLines(chart, size, inks),
    numbers: {
      headings: ["pass@k", ...series.map(({ label }) => label)],
      rows: counts.map((k, i) => [
        String(k),
        ...series.map(({ values }) => (values[i] === null ? missing : passText(1 - values[i]))),
      ]),
    },
  };
}

/** The title: which model falls behind its base, and from which k on. */
function titleOf(base: Rates | null, models: PassModels["models"], most: number): string {
  if (base === null) return `pass@k of ${models.length === 1 ? "one model" : `${models.length} models`}`;
  const ofBase = new Map(base);
  const exact = (rates: Rates): Crossover | null => {
    const from = rates.find(([k, passAt]) => passAt < (ofBase.get(k) ?? -1));
    return from ? { k: from[0], beyondChance: true } : null;
  };
  const below = models.flatMap(({ label, rates, below: from = exact(rates) }) =>
    from ? [{ label, ...from }] : [],
  );
  if (below.length === 0) return `ahead of the base at every k to ${most}`;
  const behind = below.filter(({ beyondChance }) => beyondChance);
  if (behind.length === 0)
    return `${below[0].label} is below its base at k = ${below[0].k}, perhaps by chance`;
  const [{ label, k }] = behind;
  const others = behind.length > 1 ? `, ${behind.length - 1} other${behind.length > 2 ? "s" : ""} too` : "";
  return `${label} is behind its base from k = ${k} on${others}`;
}

function unsolvedText(x: number): string {
  if (x === 0) return "0";
  if (x < 1e-4) return x.toExponential(0);
  return `${Number((100 * x).toPrecision(2))}%`;
}

/** With enough digits to distinguish it from 1. */
function passText(x: number): string {
  if (x >= 1) return "1";
  const digits = Math.min(9, Math.max(4, 1 - Math.floor(Math.log10(1 - x))));
  return x.toFixed(digits);
}
