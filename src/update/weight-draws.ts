import type { Format } from "../format/format.js";
import { roundSum } from "../format/round.js";
import { type Distribution, drawFrom } from "./distribution.js";
import { randomBits, stepKey, tensorKey, type Words } from "./threefry.js";

/** How weights are drawn: mean + sigma times a number from a distribution, cast to a format. */
export interface WeightDraws {
  readonly distribution: Distribution;
  readonly mean: number;
  readonly sigma: number;
  /** The initial storage format: checkpoints are usually bf16. */
  readonly format: Format;
  /** See {@link weightKey}. */
  readonly key: Words;
}

/** Beyond any step number, so the weights' key is unique. */
const weightStep = 2 ** 32 - 1;

/** The key of a tensor's weights. */
export function weightKey(seed: number, name: string): Words {
  return stepKey(tensorKey(seed, name), weightStep);
}

/** Weight `element` of a tensor: every operation is one fp32 rounding; the last one rounds to the format. */
export function drawnWeight(
  { distribution, mean, sigma, format, key }: WeightDraws,
  element: number,
): number {
  const z = drawFrom(distribution, randomBits(key, element, 0));
  const weight = Math.fround(Math.fround(Math.fround(sigma) * z) + Math.fround(mean));
  return roundSum(weight, 0, format, "nearest-even", "ieee", 0);
}
