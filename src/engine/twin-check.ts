import { exponentOf } from "../format/float64.js";
import type { Format } from "../format/format.js";
import { format } from "../format/registry.js";
import { gapAt } from "../format/round.js";
import { drawnValues, type TensorInput, valuesOf } from "../lens/input.js";
import { drawnWeights, simulatedUpdates } from "../lens/run/simulated.js";
import { summarizeCase } from "../lens/run/summarize.js";
import { blockLength, laneCount } from "../lens/sum.js";
import { gaussian } from "../update/distribution.js";
import type { CaseSettings } from "../update/optimizer.js";
import { type UpdateSettings, updateSettings } from "../update/settings.js";
import type { SimulatedRun } from "../update/simulated-adamw.js";
import { randomBits, stepKey, tensorKey, threefry2x32 } from "../update/threefry.js";
import { weightKey } from "../update/weight-draws.js";
import type { Engine, LensJob } from "./engine.js";
import { hardBlockJob } from "./hard-blocks.js";
import { hardRecipeJob } from "./hard-recipes.js";

const bf16 = format("bf16");

/**
 * Whether an engine agrees with its specification in every count, sum and stored bit of the given cases on hard
 * numbers; with `allNumbers` also on subnormals, NaN, Inf and overflows. Runs two steps and several chunks to check the
 * state kept between them. All cases must have the same format.
 */
export async function agrees(
  engine: Pick<Engine, "run">,
  specification: Pick<Engine, "run">,
  cases: readonly CaseSettings[],
  allNumbers = false,
): Promise<boolean> {
  return agreesOn(engine, specification, { ...hardJob(cases[0], allNumbers), cases });
}

/** Whether an engine agrees with its specification in every count, sum and stored bit of one job. */
export async function agreesOn(
  engine: Pick<Engine, "run">,
  specification: Pick<Engine, "run">,
  job: LensJob,
): Promise<boolean> {
  const [ours, theirs] = [await outcomeOf(engine, job), await outcomeOf(specification, job)];
  return ours === theirs;
}

async function outcomeOf(engine: Pick<Engine, "run">, job: LensJob): Promise<string> {
  const weights: number[][] = job.cases.map(() => []);
  const tallies = await engine.run(job, {
    weights: (c, _, __, stored) => {
      for (const weight of stored) weights[c].push(Object.is(weight, -0) ? -1e-300 : weight);
    },
  });
  return JSON.stringify([tallies.map(summarizeCase), weights.map((numbers) => numbers.map(String))]);
}

/** Weights and updates that expose errors in roundings, carries and sums: a tensor for each range of magnitudes. */
export function hardJob(settings: CaseSettings, allNumbers = false): Omit<LensJob, "cases"> {
  if (settings.recipe) return hardRecipeJob(settings);
  if (settings.blocks) return hardBlockJob(settings);
  const { format } = settings;
  const smallest = Math.max(format.minPositive, 2 ** -70);
  const largest = Math.min(format.maxFinite, 2 ** 90);
  const usual = [0, -0, 1, 1 + format.epsilon, 1 - format.epsilon / 2, 1.5, 1.75, 2 - format.epsilon];
  // The magnitudes of a typical training run.
  for (let i = 0; usual.length < 64; i++) {
    const [a, b] = threefry2x32([1, 2], [i, 0]);
    usual.push(Math.fround((1 + a / 2 ** 32) * 2 ** ((b % 24) - 20)));
  }
  const small = [smallest, 2 * smallest, 3 * smallest, Math.max(format.minNormal, 2 ** -69)];
  const groups = { usual, small, large: [largest / 4, largest / 8, largest / 5] };
  const tensors = Object.entries(groups).map(([name, magnitudes]) =>
    tensorOf(name, pairsOf(magnitudes.map(Math.fround), format)),
  );
  tensors.push(tensorOf("ties", tiesOfSums()));
  if (allNumbers) tensors.push(tensorOf("ends", pairsOfEnds(format)));
  if (settings.rounding === "stochastic") tensors.push(decidingBits(settings));
  return { tensors, stepNumbers: [0, 1], milestones: [0], chunk: blockLength };
}

/** Pairs of numbers at the limits of fp32 and of the format, with NaN and Inf. */
function pairsOfEnds({ minPositive, minNormal, maxFinite, epsilon }: Format): Pair[] {
  const ofFormat = [
    minPositive,
    minNormal,
    minNormal * (1 - epsilon / 2),
    maxFinite,
    maxFinite * (1 - epsilon),
  ];
  const ofFp32 = [0, 2 ** -149, 3 * 2 ** -149, 2 ** -126, 2 ** -126 - 2 ** -149, 2 ** 127, Infinity];
  const signed = [1, ...ofFp32, ...ofFormat].map(Math.fround).flatMap((x) => [x, -x]);
  return [NaN, ...signed].flatMap((w) => [NaN, ...signed].map((u): Pair => [w, u]));
}

type Pair = readonly [weight: number, update: number];

/** Each magnitude with updates around multiples of half its gap; no NaN, no Inf, no fp32 subnormals. */
function pairsOf(magnitudes: readonly number[], format: Format): Pair[] {
  const parts = [0, -0, 0.5, 0.25, 0.75, 1, 1.5, 2 ** -6, 2 ** -20, 0.5 + 2 ** -9, 0.5 - 2 ** -9, 3.4];
  const pairs: Pair[] = [];
  for (const magnitude of magnitudes) {
    const gap = gapAt(exponentOf(magnitude || 2 ** -20), format);
    for (const part of parts) {
      const update = Math.abs(part * gap) < 2 ** -79 ? 0 : Math.fround(part * gap);
      pairs.push([magnitude, update], [magnitude, -update], [-magnitude, update], [-magnitude, -update]);
    }
    // Full and partial cancellation.
    pairs.push([magnitude, -magnitude], [magnitude, Math.fround(-magnitude / 3)]);
  }
  return pairs;
}

/**
 * Products whose fp64 sums are ties: a sum of 2 in every lane, then 2^-52 repeatedly, then numbers that exceed the tie
 * by less than eleven more bits can resolve.
 */
function tiesOfSums(): Pair[] {
  const tie = 2 ** -26;
  return Array.from({ length: 256 }, (_, i): Pair => {
    if (i < 2 * laneCount) return [0, 1];
    return [0, i < 128 ? tie : tie * (1 + 2 ** -12)];
  });
}

/** Numbers that an engine may generate on its device: drawn weights, simulated AdamW updates, and quantiles. */
export function madeJob(): LensJob {
  const length = 999;
  const run: SimulatedRun = {
    optimizer: { lr: 1e-3, betas: [0.9, 0.99], eps: 1e-6, weightDecay: 0.1 },
    schedule: "linear",
    warmup: 1,
    steps: 3,
    noise: gaussian,
    snr: 0.5,
    seed: 1,
  };
  const draws = { distribution: gaussian, mean: 0.5, sigma: 0.1, format: bf16, key: weightKey(1, "drawn") };
  const weights = drawnWeights(length, draws);
  const updates = simulatedUpdates({ run, name: "drawn", gradientScale: 1e-3 }, weights);
  const table = Float32Array.from({ length: 16 }, (_, i) => (i - 7.5) * 2 ** -10);
  const quantiles = updates.map((_, step) => {
    return drawnValues(length, { table, key: stepKey(tensorKey(1, "quantiles"), step) });
  });
  return {
    tensors: [
      { name: "drawn", shape: [length], weights, updates },
      {
        name: "quantiles",
        shape: [length],
        weights: valuesOf(new Array(length).fill(1)),
        updates: quantiles,
      },
    ],
    stepNumbers: [0, 1, 2],
    cases: [updateSettings({ format: bf16 })],
  };
}

/** Updates of 1 that stochastic rounding, with the bits of this seed, just rounds up or just rounds down. */
function decidingBits({ format, seed }: Pick<UpdateSettings, "format" | "seed">): TensorInput {
  const key = stepKey(tensorKey(seed, "bits"), 0);
  const pairs = Array.from({ length: 1024 }, (_, i): Pair => {
    const fraction = 1 - randomBits(key, i, 0) / 2 ** 32;
    const down = Math.floor(fraction * 2 ** 23 * format.epsilon) / 2 ** 23;
    return [1, Math.fround(down + ((i >>> 1) % 2) * 2 ** -23)];
  });
  return tensorOf("bits", pairs);
}

/** Two steps, the second with the updates of other weights. */
function tensorOf(name: string, pairs: readonly Pair[]): TensorInput {
  const second = pairs.map((_, i) => pairs[(i * 7 + 3) % pairs.length][1]);
  return {
    name,
    shape: [pairs.length],
    weights: valuesOf(pairs.map(([w]) => w)),
    updates: [pairs.map(([, u]) => u), second].map(valuesOf),
  };
}
