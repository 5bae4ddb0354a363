import type { LearningRun, LearnResult, LearnRun } from "../../src/lens/learning/learning.js";
import type { Achievement } from "../../src/lens/learning/outcome.js";
import type { ComparedRun, RunComparison } from "../../src/lens/learning/run-comparison.js";

const steps = 30;
const elements = 1000;
const passCounts = [1, 2, 4, 8, 16, 32, 64, 128];

const ways = [
  { format: "fp32", scheme: "in-place", lost: 0, kept: 0, speed: 1 },
  { format: "bf16", scheme: "in-place", lost: 0.97, kept: 0, speed: 0.1 },
  { format: "bf16", scheme: "master", lost: 0, kept: 0.96, speed: 0.98 },
];

/** pass@k of a model that answers every prompt right with this probability, except `never` of a hundred prompts. */
function passAt(right: number, never = 0): Record<string, number> {
  return Object.fromEntries(passCounts.map((k) => [k, (1 - never / 100) * (1 - (1 - right) ** k)]));
}

function countsOf({ lost, kept }: (typeof ways)[number], all: number) {
  const none = Math.round(0.004 * all);
  const counts = { none, zeros: none, lost: Math.round(lost * all), kept: Math.round(kept * all) };
  return { ...counts, moved: all - none - counts.lost - counts.kept, nonfinite: 0, collateral: 0 };
}

function learnRun(run: LearningRun, way: (typeof ways)[number], seed: number): LearnRun {
  const right = 0.6 + 0.3 * way.speed + 0.001 * seed;
  const counts = countsOf(way, elements);
  const content = {
    ...{ run, format: way.format, scheme: way.scheme, rounding: "nearest-even", opmath: "fp32" },
    ...{ lr: run === "sft" ? 1e-4 : 1e-5, seed },
    base: { passAt: passAt(0.6), hardPrompts: { prompts: 0, passAt1: null } },
    outcome: {
      passAt: passAt(right, run === "sft" ? 1 : 0),
      hardPrompts: { prompts: 0, passAt1: null },
      ...{ klForward: 0.18 * way.speed, klReverse: 0.12 * way.speed, klLeftOut: 0 },
    },
    heldOut: [],
    totals: { elements, steps, ...countsOf(way, elements * steps) },
    end: { unchanged: Math.round(way.lost * elements), retained: 1 - way.lost, visible: 0.9, nonfinite: 0 },
    steps: Array.from({ length: steps }, (_, i) => ({
      ...{ step: i + 1, loss: 1 / (i + 1) },
      ...{ reward: run === "sft" ? null : 0.6 + (i / steps) * 0.3 * way.speed, ...counts },
    })),
  };
  return content as unknown as LearnRun;
}

/** Two kinds of training, three ways of storing, two seeds; results from a formula; only fields used by reports. */
export function learnResult(): LearnResult {
  const runs = (["rlvr", "sft"] as const).flatMap((run) =>
    ways.flatMap((way) => [0, 1].map((seed) => learnRun(run, way, seed))),
  );
  return {
    schema: "precision-lens-learn/1",
    tool: { name: "precision-lens", version: "0.0.0" },
    input: { base: "addition", task: "two numbers and their sum", prompts: 10_000, tensors: 25, elements },
    settings: { steps, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0, clip: 1, klPrompts: 10_000 },
    arithmetic: "plain",
    runs,
  };
}

function achieved(right: number, never = 0): Achievement {
  return {
    ...{ prompts: null, samplesPerPrompt: null, correct: null, klForward: 0.2, klReverse: null },
    passAt: passAt(right, never),
  };
}

/** Three recorded runs: the second has markup in its name, the third has no outcome. */
export function runComparison(name: string): RunComparison {
  const runs = ["/data/runs/grpo/early", name, "/data/runs/sft/early"].map((path, i) => {
    const { totals, end } = learnRun("rlvr", ways[i], 0);
    const run = {
      ...{ path, metadata: { run: name, lr: "1e-5" }, stepNumbers: [0, 1, 2], totals, end, skipped: [] },
      outcome: i === 2 ? null : { task: name, base: achieved(0.6), run: achieved(0.8, i), heldOut: [] },
    };
    return run as unknown as ComparedRun;
  });
  return {
    schema: "precision-lens-compare/1",
    tool: { name: "precision-lens", version: "0.0.0" },
    input: { runs: runs.length },
    settings: { format: "bf16", scheme: "in-place", rounding: "nearest-even", seed: 0 },
    runs,
  };
}
