import { ulp } from "../../src/format/neighbours.js";
import { format } from "../../src/format/registry.js";
import { gaussian } from "../../src/update/distribution.js";
import { steadyStateUpdates } from "../../src/update/steady-state.js";
import { randomBits } from "../../src/update/threefry.js";
import { drawnWeight, weightKey } from "../../src/update/weight-draws.js";
import { type Measured, simulated } from "./simulation.js";

/** One of our numbers and one computed independently, with its noted digits. */
export interface Check {
  readonly what: string;
  /** As noted: "85.4" means 85.4 ± half a unit of its last digit. */
  readonly expected: string;
  /** Our number in the same unit. */
  readonly found: Measured;
}

const percent = ({ value, standardError }: Measured): Measured => ({
  value: 100 * value,
  standardError: 100 * standardError,
});

/** Both samples have an error; the size of the other one was not noted, so its error is taken to be ours. */
const bothSamples = Math.SQRT2;

/** The allowed difference: three standard errors of the difference plus half a unit of the last noted digit. */
export function allowed({ expected, found }: Check): number {
  return 3 * bothSamples * found.standardError + halfUnit(expected);
}

export function agrees(check: Check): boolean {
  return Math.abs(check.found.value - Number(check.expected)) <= allowed(check);
}

function halfUnit(noted: string): number {
  const decimals = noted.split(".")[1]?.length ?? 0;
  return 0.5 * 10 ** -decimals * (1 + 1e-9);
}

const elements = 2 ** 20;
const bf16 = { format: "bf16" } as const;

/** The shares and descents of runs of 300 steps, noise gradients, w ~ N(0, 0.028), AdamW .9/.999. */
export async function rateChecks(): Promise<Check[]> {
  const rows = [
    { lr: 1e-6, noted: ["1.04", "0.62", "0.20", "0", "85.4", "98.7", "56.1", "0.005", "0.35", "1.01"] },
    { lr: 3e-6, noted: ["2.90", "1.77", "0.57", "0", "61.5", "97.4", "33.3", "0.014", "0.78", "1.00"] },
    { lr: 1e-5, noted: ["9.9", "5.0", "1.9", "0", "26.6", "89.2", "15.1", "0.050", "1.00", "1.00"] },
  ];
  const checks: Check[] = [];
  for (const { lr, noted } of rows) {
    const run = await simulated({
      of: 0.028,
      elements,
      steps: 300,
      lr,
      cases: [{ format: "fp32" }, { ...bf16, scheme: "master" }, bf16, { ...bf16, rounding: "stochastic" }],
    });
    const [fp32, master, inPlace, stochastic] = [0, 1, 2, 3];
    const found: [string, Measured][] = [
      ["changed per step, first 5, master, %", percent(run.changedPerStep(master, 1, 5))],
      ["changed per step, later, master, %", percent(run.changedPerStep(master, 101, 300))],
      ["changed per step, later, in place, %", percent(run.changedPerStep(inPlace, 101, 300))],
      ["unchanged, fp32, %", percent(run.unchanged(fp32))],
      ["unchanged, master's bf16 view, %", percent(run.unchanged(master))],
      ["unchanged, in place, %", percent(run.unchanged(inPlace))],
      ["unchanged, in place stochastic, %", percent(run.unchanged(stochastic))],
      ["effective descent, in place", run.effectiveDescent(inPlace)],
      ["effective descent, master's bf16 view", run.effectiveDescent(master)],
      ["effective descent, stochastic", run.effectiveDescent(stochastic)],
    ];
    for (const [i, [what, measured]] of found.entries()) {
      checks.push({ what: `lr ${lr.toExponential()}: ${what}`, expected: noted[i], found: measured });
    }
  }
  return checks;
}

/** Noise-only walks at 1e-6 with an fp32 master: unchanged after 600 and 1200 updates. */
export async function walkChecks(): Promise<Check[]> {
  const rows = [
    { sigma: 0.02, noted: ["72.8", "64.0"] },
    { sigma: 0.028, noted: ["79.9", "72.7"] },
    { sigma: 0.04, noted: ["85.7", "80.2"] },
  ];
  const checks: Check[] = [];
  for (const { sigma, noted } of rows) {
    const run = await simulated({
      of: sigma,
      elements: elements / 2,
      steps: 1200,
      lr: 1e-6,
      cases: [{ ...bf16, scheme: "master" }],
      milestones: [600, 1200],
    });
    for (const [i, steps] of [600, 1200].entries()) {
      const what = `sigma ${sigma}: unchanged after ${steps} updates, %`;
      checks.push({ what, expected: noted[i], found: percent(run.unchanged(0, steps)) });
    }
  }
  return checks;
}

/** Adam's first step, |u| = lr, on Gaussian weights of sigma .02: the share that changes. */
export async function firstStepChecks(): Promise<Check[]> {
  const noted = [
    [1e-6, "1.96"],
    [3e-6, "3.92"],
    [1e-5, "15.5"],
    [1e-4, "88"],
  ] as const;
  const checks: Check[] = [];
  for (const [lr, expected] of noted) {
    const run = await simulated({ of: 0.02, elements: 4 * elements, steps: 1, lr, cases: [bf16] });
    const what = `lr ${lr.toExponential()}: changed by the first step, %`;
    checks.push({ what, expected, found: percent(run.changedPerStep(0, 1, 1)) });
  }
  return checks;
}

/**
 * Steady state with an fp32 master: the share that changes in a step is E[min(1, |u| / ulp(w))]. The masters start
 * anywhere between two bf16 numbers, as they are distributed once they have walked farther than a gap.
 */
export async function steadyStateChecks(): Promise<{ lr: number; expected: Measured; found: Measured }[]> {
  const results = [];
  for (const lr of [1e-6, 3e-6, 1e-5]) {
    const run = await simulated({
      of: 0.028,
      elements,
      weightFormat: "fp32",
      steps: 1500,
      lr,
      cases: [{ ...bf16, scheme: "master" }],
    });
    results.push({ lr, expected: expectedChange(lr), found: run.changedPerStep(0, 1301, 1500) });
  }
  return results;
}

/** E[min(1, |u| / ulp(w))] over independent draws of w and of settled updates. */
function expectedChange(lr: number): Measured {
  const table = steadyStateUpdates(lr, [0.9, 0.999], gaussian);
  const resolved = format("bf16");
  const draws = {
    distribution: gaussian,
    mean: 0,
    sigma: 0.028,
    format: resolved,
    key: weightKey(1, "expected"),
  };
  let [sum, squares] = [0, 0];
  for (let i = 0; i < elements; i++) {
    const u = table[Math.floor(randomBits(draws.key, i, 1) / (2 ** 32 / table.length))];
    const share = Math.min(1, Math.abs(u) / ulp(drawnWeight(draws, i), resolved));
    sum += share;
    squares += share ** 2;
  }
  const value = sum / elements;
  return { value, standardError: Math.sqrt((squares / elements - value ** 2) / elements) };
}
