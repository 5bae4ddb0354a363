import { roundSum } from "../format/round.js";
import { storageArithmetic } from "./arithmetic.js";
import { schemes, type WeightState } from "./scheme.js";
import { type UpdateOptions, type UpdateSettings, updateSettings } from "./settings.js";

/**
 * A weight before its first update, stored in the format of `settings` by nearest-even, whatever the run's
 * rounding, because checkpoints are cast that way.
 */
export function startState(
  given: number,
  settings: Pick<UpdateSettings, "format" | "overflow" | "scheme">,
): WeightState {
  return {
    weight: roundSum(given, 0, settings.format, "nearest-even", settings.overflow, 0),
    carrier: schemes[settings.scheme].start(given),
  };
}

/** {@link UpdateOptions}, and the source of random bits for one weight. */
export interface ApplyOptions extends UpdateOptions {
  /** Called for 32 random bits at each rounding of the step; required by stochastic rounding. */
  readonly random?: () => number;
}

/**
 * Applies one update to one weight: the readable specification of every engine.
 *
 * @param weight a state from an earlier call, or a number, which is first cast to the format.
 * @param update the addend, an fp32 number.
 * @param options format, scheme and rounding by name, and the random bits for stochastic rounding.
 * @returns the stored weight and the scheme's carrier (0 without one).
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
