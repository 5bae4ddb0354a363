import { type TensorInput, valuesOf } from "../lens/input.js";
import { blockLength } from "../lens/sum.js";
import type { RecipeSettings } from "../update/optimizer.js";
import type { OptimizerSettings } from "../update/recipe/recipe.js";
import { threefry2x32 } from "../update/threefry.js";
import type { LensJob } from "./engine.js";

/** Gradients and moments that expose errors in an optimizer's step, for the engines' self-check. */

/** Includes numbers whose squares underflow and overflow, Inf and NaN. */
const hardGradients = [
  ...[0, 2 ** -149, 3 * 2 ** -140, 2 ** -126, 2 ** -75, 2 ** -63, 1e-12, 1e-8, 1e-3, 0.25, 1 / 3, 1, 3.5],
  ...[2 ** 40, 2 ** 64, 2 ** 127, Infinity, Number.NaN],
];

/**
 * Weights, gradients and recorded moments of every kind, and settings that change from step to step, so that
 * every condition of a recipe is both true and false: weight decay and none, eps of 0, betas below and above 0.5.
 */
export function hardRecipeJob(settings: RecipeSettings): Omit<LensJob, "cases"> {
  const { optimizer, format } = settings;
  const { epsilon, minPositive, minNormal, maxFinite } = format;
  const ofFormat = [minPositive, minNormal, maxFinite, 1 + epsilon, 1 - epsilon / 2];
  const magnitudes = [0, 1, 1.5, 0.02, 2 ** -149, 2 ** -126, ...ofFormat, Infinity].map(Math.fround);
  const weights = [Number.NaN, ...magnitudes.flatMap((x) => [x, -x])];
  const gradients = hardGradients.map(Math.fround).flatMap((x) => [x, -x]);
  const pairs = weights.flatMap((w) => gradients.map((g) => [w, g] as const));
  const [ofWeight, ofGradient] = [pairs.map(([w]) => w), pairs.map(([, g]) => g)];
  // The gradients of other weights, to combine moments with other gradients.
  const next = (numbers: readonly number[], by: number) =>
    numbers.map((_, i) => numbers[(i * by + 5) % numbers.length]);
  const changing: readonly OptimizerSettings[] = [
    optimizer,
    { ...optimizer, eps: 0, weightDecay: 0 },
    { lr: 0.375, betas: [0.3, 0.45], eps: 1e-6, weightDecay: 0.25 },
  ];
  const steps = (first: readonly number[]) => [first, next(first, 7), next(first, 11)].map(valuesOf);
  const hard = { shape: [pairs.length], weights: valuesOf(ofWeight), updates: steps(ofGradient) };
  const moments = {
    M: valuesOf(next(ofGradient, 13)),
    V: valuesOf(next(ofGradient, 17).map((x) => Math.abs(x))),
  };
  const tensors: TensorInput[] = [
    { ...usual(optimizer), name: "usual" },
    { ...hard, name: "fresh" },
    { ...hard, name: "changing", optimizer: { settings: changing, stepsTaken: 0, moments: {} } },
    middles(optimizer),
    { ...hard, name: "recorded", optimizer: { settings: changing.toReversed(), stepsTaken: 4, moments } },
  ];
  return { tensors, stepNumbers: [0, 1, 2], milestones: [1], chunk: blockLength };
}

/**
 * Second moments of the fp32 run whose fused sum is below the midpoint of two fp32 numbers by less than fp64 resolves:
 * with x = 3 2^22 and 1 - beta2 = (1 + 2^-21) / 2 the product is (x + 3) (x - 3) = 9 2^44 - 9, times a power of two.
 */
function middles(optimizer: OptimizerSettings): TensorInput {
  const length = 64;
  const settings = { ...optimizer, betas: [0.5, 0.5 - 2 ** -22] as const, eps: 0, weightDecay: 0 };
  const numbers = (numberAt: (i: number) => number) =>
    valuesOf(Array.from({ length }, (_, i) => numberAt(i)));
  const gradient = numbers(() => 0.75 - 3 * 2 ** -24);
  return {
    name: "middles",
    shape: [length],
    weights: numbers(() => 0),
    updates: [gradient, gradient, gradient],
    optimizer: {
      settings: [settings, settings, settings],
      stepsTaken: 3,
      moments: { M: gradient, V: numbers((i) => 2 ** 20 + i * 2 ** -3) },
    },
  };
}

/** Numbers typical of training. The length is a multiple neither of a group nor of any tail's block. */
function usual({ lr }: OptimizerSettings): Omit<TensorInput, "name"> {
  const length = 1024 + 61;
  const draw = (stream: number, size: number) =>
    Array.from({ length }, (_, i) => {
      const [a, b] = threefry2x32([3, stream], [i, 0]);
      const spread = 2 ** -((b >>> 8) % 8);
      return Math.fround((b % 2 === 0 ? size : -size) * spread * (1 + a / 2 ** 32));
    });
  // The learning rate is near the bf16 gap of these weights, so that some of them move.
  const weights = draw(0, Math.max(lr, 2 ** -60) * 2 ** 8);
  return {
    shape: [length],
    weights: valuesOf(weights),
    updates: [1, 2, 3].map((i) => valuesOf(draw(i, 1e-3))),
  };
}
