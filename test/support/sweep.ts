import type { Knowledge, PredictionResult, Rule } from "../../src/lens/study/prediction.js";
import { judgedRules, ruleOutcomes } from "../../src/lens/study/prediction.js";
import {
  type SweepCase,
  type SweepCell,
  type SweepResult,
  sweepAnswers,
  sweepCells,
} from "../../src/lens/study/sweep.js";
import { caseOf, resultOf } from "./results.js";

const engine = { name: "reference", device: "CPU", selfCheck: { passed: 1, failed: 0, firstFailure: null } };
const tool = { name: "precision-lens", version: "0.0.0" };
const input = {
  kind: "recorded",
  weights: "run/base.safetensors",
  updates: "run/updates.safetensors",
  gradients: null,
  tensors: 1,
  elements: 4000,
  stepNumbers: [1, 2, 3],
} as const;

const [cell] = sweepCells(resultOf([await caseOf([1, -1, 0.5, 2], [1, 1e-4, 0, 2 ** -20])]), 1);

interface Grid {
  readonly formats?: readonly string[];
  readonly schemes?: readonly string[];
  readonly roundings?: readonly string[];
  readonly rates?: readonly number[];
  /** The progress of a case at a rate, both by index. */
  readonly progress?: (caseIndex: number, at: number) => number | null;
  readonly noise?: (caseIndex: number, at: number) => number;
}

/** A sweep whose numbers are a formula: each case learns somewhat later than the one before. */
export function sweepResult(
  {
    formats = ["bf16"],
    schemes = ["in-place", "master"],
    roundings = ["nearest-even"],
    rates = [1e-7, 1e-6, 1e-5, 1e-4],
    progress = (caseIndex, at) => Math.min(1, 3 ** (at - caseIndex / 2) / 9),
    noise = () => 0.02,
  }: Grid = {},
  changes: Partial<SweepResult> = {},
): SweepResult {
  const grid = formats.flatMap((format) =>
    schemes.flatMap((scheme) =>
      roundings.map((rounding): SweepCase => ({ format, scheme, rounding, opmath: "fp32" })),
    ),
  );
  const cells = rates.flatMap((rate, at) =>
    grid.map((identity, caseIndex): SweepCell => {
      const retained = progress(caseIndex, at);
      const end = { ...cell.end, retained, visible: retained };
      const standardError = identity.rounding === "stochastic" ? noise(caseIndex, at) : null;
      return { ...cell, ...identity, rate, end, standardError };
    }),
  );
  const shares = { learns: 0.5, keeps: 0.99 };
  return {
    schema: "precision-lens-sweep/2",
    tool,
    input,
    settings: { overflow: "ieee", seed: 0, strict: false, rate: "lr", ...shares },
    engine,
    rates,
    cells,
    ...sweepAnswers(cells, shares),
    skipped: [],
    ...changes,
  };
}

const found: Readonly<Record<Rule, readonly [predicted: number, right: number]>> = {
  "ulp-rule": [14, 12],
  "one-step": [22, 15],
  residual: [41, 35],
  reach: [97, 40],
};

/** A prediction of 1000 weights, of which 40 change in each of two steps. */
export function predictionResult(changes: Partial<PredictionResult> = {}): PredictionResult {
  const counts = (which: 0 | 1) =>
    judgedRules.map(({ rule, knows }: { rule: Rule; knows: Knowledge }) =>
      rule === "residual" && knows === "gradient" ? 40 : found[rule][which],
    );
  const steps = [2, 3].map((step) => ({ step, changed: 40, predicted: counts(0), right: counts(1) }));
  return {
    schema: "precision-lens-prediction/1",
    tool,
    input: { ...input, elements: 1000, updates: null, gradients: "run/gradients.safetensors" },
    optimizer: { name: "adamw", lr: 1e-6, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 },
    format: "bf16",
    weightSteps: 2000,
    changed: 80,
    rules: ruleOutcomes(steps),
    steps,
    skipped: [],
    ...changes,
  };
}

/** Extreme but valid sweeps and predictions, with this name wherever there is one. */
export function oddSweeps(name: string): Record<string, SweepResult> {
  const hostile = {
    tool: { name, version: name },
    input: { ...input, weights: name, updates: name },
    skipped: [{ name, reason: name }],
  };
  const saved = sweepResult({}, hostile);
  const renamed = <Of extends SweepCase>(cells: readonly Of[]) =>
    cells.map((item) => ({ ...item, format: name }));
  const schemes = ["in-place", "master", "kahan", "two-term"];
  return {
    "one rate": sweepResult({ rates: [1e-6] }),
    "nothing learned": sweepResult({ progress: () => 0 }),
    "nothing to learn": sweepResult({ progress: () => null }),
    "far beyond": sweepResult({ progress: (caseIndex, at) => (caseIndex === 0 ? -3 : 1e6 / 10 ** at) }),
    noisy: sweepResult({ roundings: ["nearest-even", "stochastic"], noise: (_, at) => 10 ** -at }),
    "twenty rates of twenty cases": sweepResult({
      formats: ["bf16", "fp16", "e4m3fn", "e5m2", "tf32"],
      schemes,
      rates: Array.from({ length: 20 }, (_, i) => Number((1e-7 * 1.44 ** i).toPrecision(3))),
    }),
    "rates close together": sweepResult({ rates: [1e-7, 1.01e-7, 1.02e-7, 1e-6] }),
    "scales of a recorded run": sweepResult(
      { rates: [0.1, 1, 10] },
      { settings: { ...sweepResult().settings, rate: "scale" } },
    ),
    "a hostile sweep": {
      ...saved,
      cells: renamed(saved.cells),
      answers: {
        cases: renamed(saved.answers.cases),
        cheapest: saved.answers.cheapest.map(({ rate, case: sweepCase }) => ({
          rate,
          case: sweepCase && { ...sweepCase, format: name },
        })),
      },
    },
  };
}

export function oddPredictions(name: string): Record<string, PredictionResult> {
  return {
    "nothing predicted": predictionResult({ weightSteps: 0, changed: 0, rules: ruleOutcomes([]), steps: [] }),
    "nothing finite": predictionResult({ weightSteps: 0, changed: 0, rules: ruleOutcomes([]) }),
    "a hostile prediction": predictionResult({
      tool: { name, version: name },
      input: { ...predictionResult().input, weights: name, gradients: name },
      format: name,
      skipped: [{ name, reason: name }],
    }),
  };
}
