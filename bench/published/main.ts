/** Writes docs/published.md: npm run published. About three minutes on two cores; seeded, the same on every machine. */
import { writeFileSync } from "node:fs";
import {
  agrees,
  allowed,
  type Check,
  firstStepChecks,
  rateChecks,
  steadyStateChecks,
  walkChecks,
} from "./checks.js";
import {
  type PublishedFigure,
  stepFigures,
  toleranceFigures,
  trainingFigures,
  unchangedFigures,
} from "./figures.js";
import { gateSection } from "./gates.js";
import type { Measured } from "./simulation.js";

const began = performance.now();
const say = (what: string) =>
  process.stderr.write(`${Math.round((performance.now() - began) / 1000)} s: ${what}\n`);

say("figures of papers");
const figures = [
  ...(await unchangedFigures()),
  ...(await trainingFigures()),
  ...(await stepFigures()),
  ...(await toleranceFigures()),
];
say("rates");
const rates = await rateChecks();
say("walks");
const walks = await walkChecks();
say("first steps");
const firstSteps = await firstStepChecks();
say("steady states");
const steady = await steadyStateChecks();

const disagreeing = [...rates, ...walks, ...firstSteps].filter((check) => !agrees(check));
const apart = steady.filter(
  ({ expected, found }) => Math.abs(expected.value - found.value) > 3 * combined(expected, found),
);

writeFileSync(new URL("../../docs/published.md", import.meta.url), `${document()}\n`);
for (const { what } of disagreeing) say(`does not agree: ${what}`);
for (const { lr } of apart) say(`does not agree: the steady state at ${lr}`);
process.exitCode = disagreeing.length + apart.length > 0 ? 1 : 0;

function combined(a: Measured, b: Measured): number {
  return Math.hypot(a.standardError, b.standardError);
}

function document(): string {
  const today = new Date().toISOString().slice(0, 10);
  return [
    "# What was published, and what a simulation of precision alone gives",
    `Written by \`npm run published\` on ${today}: do not edit. Everything here is simulated: weights are Gaussian and stored as bf16, ` +
      "gradients are noise (or noise and a signal, where it says so) through AdamW, the master is fp32, and what is " +
      "counted is the bf16 view of it. Nothing was fitted to the figures that it stands beside, but for one row that says so. " +
      "Intervals are 95 % of the sampling error; a model is a stratified sample of its weights.",
    figureTable(figures),
    "## What the simulation cannot tell",
    "Gradients of real runs are neither independent nor alike in all layers; runs have warm-ups, clipped steps, skipped " +
      "tensors and weights that are no Gaussian. Where noise alone gives the published figure, that figure needs no other " +
      "explanation; it does not mean that the run had no signal. Where it does not, the difference is a fact about that run.",
    "## Against a computation of its own",
    "The same quantities were computed once before by a numpy program that shares nothing with this one (w ~ N(0, 0.028) " +
      "unless it says otherwise, noise gradients, AdamW .9/.999, 300 steps; *later* is the mean of steps 101 to 300 here). " +
      "They agree if the difference is within three standard errors of the two samples, the other taken to be as large as " +
      "ours, and half a unit of the digit that was noted.",
    checkTable(rates),
    "### Walks of noise at 1e-6 with an fp32 master",
    checkTable(walks),
    "### Adam's first step on weights of sigma .02",
    checkTable(firstSteps),
    "## Steady state",
    "With an fp32 master the share of weights that change in a step is E[min(1, |u| / ulp(w))]: the left column by that " +
      "formula over independent draws of settled updates and of weights, the right one from a run of 1500 steps, its last 200.",
    steadyTable(),
    gateSection(rows),
  ].join("\n\n");
}

function figureTable(list: readonly PublishedFigure[]): string {
  return rows(
    ["source", "measured", "published", "ours", "simulated", "what it means"],
    list.map(({ source, measured, published, ours, simulation, meaning }) => [
      source,
      measured,
      published,
      ours.map(interval).join(ours.length > 1 && simulation.includes(" to ") ? " to " : ", then "),
      simulation,
      meaning,
    ]),
  );
}

/** "77.2 ± 0.1", in percent. */
function interval({ value, standardError }: Measured): string {
  const half = 100 * 1.96 * standardError;
  const digits = half < 0.05 && value < 0.1 ? 2 : 1;
  return `${(100 * value).toFixed(digits)} ± ${Math.max(half, 0.5 * 10 ** -digits).toFixed(digits)}`;
}

function checkTable(checks: readonly Check[]): string {
  return rows(
    ["what", "noted", "here", "standard error", "difference", "allowed", "agrees"],
    checks.map((check) => {
      const { what, expected, found } = check;
      const difference = Math.abs(found.value - Number(expected));
      return [
        what,
        expected,
        found.value.toFixed(4),
        found.standardError.toFixed(4),
        difference.toFixed(4),
        allowed(check).toFixed(4),
        agrees(check) ? "yes" : "**no**",
      ];
    }),
  );
}

function steadyTable(): string {
  return rows(
    ["lr", "formula, %", "run, %", "difference, standard errors"],
    steady.map(({ lr, expected, found }) => [
      lr.toExponential(),
      withError(expected),
      withError(found),
      ((found.value - expected.value) / combined(expected, found)).toFixed(1),
    ]),
  );
}

function withError({ value, standardError }: Measured): string {
  return `${(100 * value).toFixed(3)} (${(100 * standardError).toFixed(3)})`;
}

function rows(headings: readonly string[], cells: readonly (readonly string[])[]): string {
  const line = (texts: readonly string[]) => `| ${texts.join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...cells.map(line)].join("\n");
}
