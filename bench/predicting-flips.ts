/**
 * Writes docs/predicting-flips.md and its figure: npm run predicting-flips. Takes a few minutes on one core; seeded, so
 * the result is the same on every machine.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { predict } from "../src/engine/predict.js";
import { format } from "../src/format/registry.js";
import type { TensorInput } from "../src/lens/input.js";
import {
  judgedRules,
  type Knowledge,
  type Rule,
  type RuleOutcome,
  ruleOutcomes,
  type StepPrediction,
} from "../src/lens/study/prediction.js";
import { slideOf } from "../src/report/charts/figure.js";
import { predictionChart } from "../src/report/charts/prediction-chart.js";
import { openRecording, recordedRun } from "../src/source/recording.js";
import { type GivenTensor, syntheticRun } from "../src/source/synthetic/synthetic-run.js";
import { gaussian } from "../src/update/distribution.js";
import type { SimulatedRun } from "../src/update/simulated-adamw.js";

const docs = new URL("../docs/", import.meta.url);
const bf16 = format("bf16");
const elements = 2 ** 15;
const began = performance.now();

/** The predicted steps of a run, and the outcome. */
interface Flips {
  readonly name: string;
  readonly weightSteps: number;
  readonly changed: number;
  readonly rules: readonly RuleOutcome[];
}

interface Noise {
  readonly lr: number;
  readonly steps: number;
  readonly betas?: readonly [number, number];
  readonly snr?: number;
  /** The format of the weights before the run; fp32 weights are anywhere between two bf16 numbers. */
  readonly weightFormat?: "bf16" | "fp32";
  readonly given?: readonly GivenTensor[];
}

/** Steps `from` on, counted from 1, of a run of 2 or more. */
function flipsOf(
  name: string,
  steps: readonly StepPrediction[],
  weights: number,
  from: number,
  to?: number,
): Flips {
  // The first step has no moments before it: the first prediction is that of step 2.
  const part = steps.slice(from - 2, to === undefined ? undefined : to - 1);
  const changed = part.reduce((sum, step) => sum + step.changed, 0);
  process.stderr.write(
    `${Math.round((performance.now() - began) / 1000)} s: ${name}, ${changed.toLocaleString("en")} changes\n`,
  );
  return { name, weightSteps: weights * part.length, changed, rules: ruleOutcomes(part) };
}

function runOf({ lr, steps, betas = [0.9, 0.999], snr = 0 }: Noise): SimulatedRun {
  const optimizer = { lr, betas, eps: 1e-8, weightDecay: 0 };
  return { optimizer, schedule: "constant", warmup: 0, steps, noise: gaussian, snr, seed: 0 };
}

function predictNoise(noise: Noise): Promise<StepPrediction[]> {
  const run = runOf(noise);
  const { tensors, stepNumbers } = syntheticRun(
    {
      ...{ preset: null, model: null, elements, sigma: 0.028, weightFormat: noise.weightFormat ?? "bf16" },
      ...{ queryKeyShape: null, run, source: "gradients", gradientNorm: 1, clip: 1, scaleSpread: 0 },
    },
    noise.given ?? null,
  );
  return predict({ tensors, stepNumbers }, run, bf16);
}

/** A recorded window of eight steps, and noise through the same optimizer on the same weights. */
async function recordedFlips(kind: string, lr: number): Promise<readonly [Flips, Flips]> {
  const folder = fileURLToPath(new URL(`../test/data/recorded/${kind}/early`, import.meta.url));
  const recording = await openRecording({ ...(await recordedRun(folder, "gradients")), of: "gradient" });
  const { tensors, stepNumbers } = recording;
  const noise = { lr, steps: stepNumbers.length, betas: [0.9, 0.95] } as const;
  const count = tensors.reduce((sum, { weights }) => sum + weights.length, 0);
  const given = tensors.map((tensor: TensorInput) => ({ ...tensor, size: tensor.weights.length }));
  const real = await predict({ tensors, stepNumbers }, runOf(noise), bf16);
  const drawn = await predictNoise({ ...noise, given });
  await recording.close();
  const name = `${kind}, lr ${lr.toExponential()}`;
  return [flipsOf(name, real, count, 2), flipsOf(`${name}: noise`, drawn, count, 2)];
}

const late = { from: 101, to: 150 };
const noise = async (name: string, options: Omit<Noise, "steps">) =>
  flipsOf(name, await predictNoise({ ...options, steps: late.to }), elements, late.from);

const usual = await predictNoise({ lr: 1e-6, steps: late.to });
const first = flipsOf("lr 1e-6, steps 2 to 8", usual, elements, 2, 8);
const mid = flipsOf(`lr 1e-6, steps ${late.from} to ${late.to}`, usual, elements, late.from);
const settled = flipsOf(
  "lr 1e-6, a master anywhere between two bf16 numbers",
  await predictNoise({ lr: 1e-6, steps: 60, weightFormat: "fp32" }),
  elements,
  21,
);
const others = [
  await noise("lr 3e-7", { lr: 3e-7 }),
  await noise("lr 3e-6", { lr: 3e-6 }),
  await noise("lr 1e-5", { lr: 1e-5 }),
  await noise("lr 1e-6, betas .9, .95", { lr: 1e-6, betas: [0.9, 0.95] }),
  await noise("lr 1e-6, a signal a quarter of the noise", { lr: 1e-6, snr: 0.25 }),
];
const recorded = [
  ...(await recordedFlips("rlvr", 1e-5)),
  ...(await recordedFlips("opd", 1e-5)),
  ...(await recordedFlips("sft", 1e-4)),
];

/** The index of a rule with its inputs. */
const at = (rule: Rule, knows: Knowledge) =>
  judgedRules.findIndex((judged) => judged.rule === rule && judged.knows === knows);
const ulpRule = at("ulp-rule", "moments");
const [oneStep, oneStepGiven] = [at("one-step", "moments"), at("one-step", "gradient")];
const [residual, residualGiven] = [at("residual", "moments"), at("residual", "gradient")];
const reach = at("reach", "moments");

const recall = (flips: Flips, rule: number) => flips.rules[rule].recall!;
const precision = (flips: Flips, rule: number) => flips.rules[rule].precision!;
const changed = (flips: Flips) => flips.changed / flips.weightSteps;
const named = (flips: Flips, rule: number) => flips.rules[rule].predicted / flips.weightSteps;

/** 0.234 -> "23 %", 0.0061 -> "0.61 %", 0.9996 -> "99.96 %": only exact 1 is 100 %. */
function percent(share: number): string {
  if (share < 0.1) return `${(100 * share).toPrecision(2)} %`;
  if (share < 0.995 || share === 1) return `${(100 * share).toFixed(0)} %`;
  return `${(Math.floor(1e4 * share) / 100).toFixed(2)} %`;
}

function rows(headings: readonly string[], cells: readonly (readonly string[])[]): string {
  const line = (texts: readonly string[]) => `| ${texts.join(" | ")} |`;
  return [line(headings), line(headings.map((_, i) => (i === 0 ? "---" : "---:"))), ...cells.map(line)].join(
    "\n",
  );
}

function table(all: readonly Flips[]): string {
  const rules = [
    "ulp rule finds",
    "is right",
    "residual finds",
    "is right",
    "reach finds",
    "names",
    "per change",
  ];
  return rows(
    ["run", "change in a step", ...rules],
    all.map((flips) => [
      flips.name,
      percent(changed(flips)),
      percent(recall(flips, ulpRule)),
      percent(precision(flips, ulpRule)),
      percent(recall(flips, residual)),
      percent(precision(flips, residual)),
      percent(recall(flips, reach)),
      percent(named(flips, reach)),
      perChange(flips).toFixed(1),
    ]),
  );
}

/** The number of weights predicted by `reach` per weight that changes. */
function perChange(flips: Flips): number {
  return named(flips, reach) / changed(flips);
}

function extent(
  all: readonly Flips[],
  what: (flips: Flips) => number,
  words: (value: number) => string,
): string {
  const values = all.map(what);
  return `${words(Math.min(...values))} to ${words(Math.max(...values))}`;
}

function document(): string {
  const all = [first, mid, settled, ...others, ...recorded];
  return [
    "# Which weights will the next step change?",
    `Written by \`npm run predicting-flips\` on ${new Date().toISOString().slice(0, 10)}: do not edit.`,
    "A trainer keeps an fp32 master and sends bf16 weights to where they are served. A step changes about one of them in a " +
      "hundred, and it would help to know beforehand which. The obvious rule takes Adam's moments, u = lr m / (sqrt(v) + eps), " +
      "and names a weight if |u| >= |w| / 256 (the rule of PULSE, arXiv 2602.03839). In TRL's synchronization of deltas it found about " +
      "30 % of the weights that changed, and why so few was left open. In short:",
    [
      "- **It looks at the wrong number.** What changes a bf16 weight is mostly not the update of that step but the residual: what earlier " +
        `updates left in the fp32 master. ${percent(1 - recall(mid, oneStepGiven))} of the changes are completed by an update that alone ` +
        "would not move the stored weight. No rule that sees w and u can find those, however well it knows u.",
      `- **With the master, the same moments find ${percent(recall(mid, residual))}**: name a weight if bf16(master + u) differs from w. The ` +
        "rest is decided by a gradient that is not there yet.",
      `- **Every change is one that the next gradient can reach**: those weights hold ${percent(recall(mid, reach))} of the changes, and are ` +
        `${perChange(mid).toFixed(1)} times as many, ${percent(named(mid, reach))} of all at a learning rate of 1e-6.`,
    ].join("\n"),
    "## What is missing: the residual, then the gradient",
    `Share of the changes that a test finds, by what it is given (noise, lr 1e-6, steps ${late.from} to ${late.to} from a bf16 checkpoint):`,
    rows(
      ["", "u by the moments", "u itself, with the gradient"],
      [
        [
          "*one-step*: bf16(w + u) differs from w",
          percent(recall(mid, oneStep)),
          percent(recall(mid, oneStepGiven)),
        ],
        [
          "*residual*: bf16(master + u) differs from w",
          percent(recall(mid, residual)),
          percent(recall(mid, residualGiven)),
        ],
      ],
    ),
    `Where the master is unknown, knowing the update exactly adds ${points(recall(mid, oneStepGiven) - recall(mid, oneStep))}. Where the update ` +
      `is only foreseen, knowing the master adds ${points(recall(mid, residual) - recall(mid, oneStep))}. Given both, the test is the step itself.`,
    "The reason is one of sizes. At 1e-6 a typical update is 2e-7 and the gap between bf16 numbers at a typical weight 1e-4, five " +
      "hundred times as much. When masters lie anywhere in their gaps, a weight changes with a chance of |u| / gap: seldom, but nearly all " +
      "weights are of this kind. Only those near zero, with small gaps, have updates that show by themselves.",
    `The ulp rule finds fewer still (${percent(recall(mid, ulpRule))} against ${percent(recall(mid, oneStep))} by *one-step*): |w| / 256 is half a gap ` +
      "at the lower end of a binade and a whole one at the upper. That makes it cautious, and more often right " +
      `(${percent(precision(mid, ulpRule))} against ${percent(precision(mid, oneStep))}).`,
    "![The rules: recall, precision, and how many weights they name](figures/predicting-flips.svg)",
    "## Where 30 % comes from",
    "Recall depends on how much the masters hold back. A run begins at a bf16 checkpoint, every master on its stored number: at " +
      `first only large updates show. In steps 2 to 8 the rule finds ${percent(recall(first, ulpRule))}, after a hundred steps ` +
      `${percent(recall(mid, ulpRule))}, and once masters lie anywhere, as after a long run, ${percent(recall(settled, ulpRule))}. The learning rate ` +
      "matters less than that, until it is so large that many updates are wider than a gap. On this page the rule finds " +
      `${extent(all, (flips) => recall(flips, ulpRule), percent)}. The rate and the steps of TRL's measurement are not known here; its 30 % is what ` +
      "such a rule gives, and no sign of a mistake in how it was built.",
    table([first, mid, settled, ...others]),
    `Weights N(0, 0.028), ${elements.toLocaleString("en")} of them, stored as bf16; gradients are independent noise, unless it says otherwise, through ` +
      `AdamW with betas .9, .999 and an fp32 master. Rows that name no steps are steps ${late.from} to ${late.to}; the master that lies anywhere is ` +
      "that of steps 21 to 60 from fp32 weights. *Is right*: of the weights named, those that changed. A point or two between rows " +
      "is sampling.",
    "## Recorded runs",
    "A tiny model trained in three ways with PyTorch ([how](../test/data/recorded/README.md)), the first eight steps of each, and below " +
      "each, noise through the same optimizer on the same weights. Real gradients agree with each other from step to step, which noise " +
      "does not: updates are larger, and the moments know more of the next one. The ulp rule gains little by it.",
    table(recorded),
    "## What to do with it",
    [
      "- **After the step, compare bits.** Whoever has the master can round it before and after: exact, for one pass over memory. " +
        "No rule does better.",
      "- **Before the step, take `reach`**, if indices or buffers must be ready in time: name a weight if bf16(master + u) differs from " +
        "w for the least or the most u that a gradient of up to four standard deviations, 4 sqrt(v), makes of the moments, with v as it " +
        "is before the step: with the gradient in it too, as in AdamW, u is smaller in early steps. It " +
        `needs m, v and the master, which lie together in the trainer. On this page it names ${extent(all, perChange, (x) => x.toFixed(1))} weights for each ` +
        "that changes; what a step changes grows with the rate, and so does what it names.",
      "- **What the ulp rule names is no delta.** A receiver that is sent only those weights is wrong in most of what changed, until " +
        "each changes again and is named, or everything is sent.",
    ].join("\n"),
    [
      "```sh",
      "precision-lens predict --lr 1e-6                      # noise: every rule, with recall and precision",
      "precision-lens predict RUN --lr 1e-6 --html flips.html   # a recording with gradients.safetensors",
      "```",
    ].join("\n"),
    "`predict RUN` takes one learning rate and one weight decay, from the recording or, where that says none, from the options, " +
      "and starts from empty moments. It refuses a recording with a schedule, with parameter groups that differ, or with moments: " +
      "predict a synthetic run with the same settings instead (`--lr`, `--schedule`, `--warmup`, `--weight-decay`).",
  ].join("\n\n");
}

function points(difference: number): string {
  const n = Math.round(100 * difference);
  return n === 1 ? "1 point" : `${n} points`;
}

mkdirSync(new URL("figures/", docs), { recursive: true });
const source = `precision-lens: ${elements.toLocaleString("en")} weights N(0, 0.028) as bf16, noise through AdamW at 1e-6, steps ${late.from} to ${late.to}`;
writeFileSync(new URL("figures/predicting-flips.svg", docs), slideOf(predictionChart(mid), "light", source));
writeFileSync(new URL("predicting-flips.md", docs), `${document()}\n`);
