import { roundSum } from "../format/round.js";
import { storageArithmetic } from "./arithmetic.js";
import { schemes, type WeightState } from "./scheme.js";
import { type UpdateOptions, type UpdateSettings, updateSettings } from "./settings.js";

/**
 * A weight before its first update: stored in the format of `settings`, by nearest-even whatever the rounding of
 * the run, because that is how checkpoints are cast.
 */
export function startState(given: number, settings: UpdateSettings): WeightState {
  return {
    weight: roundSum(given, 0, settings.format, "nearest-even", settings.overflow, 0),
    carrier: schemes[settings.scheme].start(given),
  };
}

/** {@link UpdateOptions}, and the source of random bits for one weight. */
export interface ApplyOptions extends UpdateOptions {
  /** 32 random bits for each rounding of the step in turn; required by stochastic rounding. */
  readonly random?: () => number;
}

/**
 * What one update makes of one weight: the readable specification of every engine.
 *
 * @param weight a state from an earlier call, or a number, which is stored in the format first.
 * @param update as added, sign included; an fp32 number.
 * @param options the format and how it takes updates, by names; and the random bits of stochastic rounding.
 * @returns the stored weight, and what the scheme's carrier keeps beside it (0 where it has none).
 * @throws RangeError for unknown names; TypeError if stochastic rounding is not given `random`.
 * @example applyUpdate(0.02, 1e-6, { format: "bf16" }); // { weight: 0.02001953125, carrier: 0 }
 * @example applyUpdate(0.02, 1e-6, { format: "bf16", scheme: "master" }); // { weight: 0.02001953125, carrier: 0.0200009997934103 }
 */
export function applyUpdate(
  weight: number | WeightState,
  update: number,
  options: ApplyOptions,
): WeightState {
  const settings = updateSettings(options);
  const random = options.random ?? missingRandom;
  const state = typeof weight === "number" ? startState(weight, settings) : weight;
  return schemes[settings.scheme].step(state, Math.fround(update), storageArithmetic(settings, random));
}

function missingRandom(): never {
  throw new TypeError("stochastic rounding needs `random`, a source of 32 random bits");
}
