import type { Format } from "../format/format.js";
import { roundSum } from "../format/round.js";
import { type Distribution, drawFrom } from "./distribution.js";
import { randomBits, stepKey, tensorKey, type Words } from "./threefry.js";

/** How the weights of a tensor are drawn: mean + sigma times a number of a distribution, stored in a format. */
export interface WeightDraws {
  readonly distribution: Distribution;
  readonly mean: number;
  readonly sigma: number;
  /** What the weights are stored in before the run: checkpoints are bf16 as a rule. */
  readonly format: Format;
  /** See {@link weightKey}. */
  readonly key: Words;
}

/** No run has so many steps: the key of its weights is that of no step. */
const weightStep = 2 ** 32 - 1;

/** The key of a tensor's weights. */
export function weightKey(seed: number, name: string): Words {
  return stepKey(tensorKey(seed, name), weightStep);
}

/** Weight `element` of a tensor: every operation is one fp32 rounding, the last one that to the format. */
export function drawnWeight(
  { distribution, mean, sigma, format, key }: WeightDraws,
  element: number,
): number {
  const z = drawFrom(distribution, randomBits(key, element, 0));
  const weight = Math.fround(Math.fround(Math.fround(sigma) * z) + Math.fround(mean));
  return roundSum(weight, 0, format, "nearest-even", "ieee", 0);
}
