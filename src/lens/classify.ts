import type { WeightState } from "../update/scheme.js";

/** What becomes of one update of one weight. Every weight-step falls in exactly one class. */
export const classes = ["none", "lost", "kept", "moved", "nonfinite"] as const;
export type Class = (typeof classes)[number];

/**
 * The class of one weight-step, tested in this order:
 * - `nonfinite`: the weight, the update or the result (carrier included) is NaN or Inf;
 * - `none`: the update is zero;
 * - `moved`: the stored number changed;
 * - `kept`: only the carrier changed;
 * - `lost`: neither did.
 *
 * Changed means other bits, with +0 = -0: numbers of a format have one code each, so `!==` is that.
 */
export function classify(before: WeightState, update: number, after: WeightState): Class {
  const finite =
    Number.isFinite(before.weight) &&
    Number.isFinite(update) &&
    Number.isFinite(after.weight) &&
    Number.isFinite(after.carrier);
  if (!finite) return "nonfinite";
  if (update === 0) return "none";
  if (after.weight !== before.weight) return "moved";
  if (after.carrier !== before.carrier) return "kept";
  return "lost";
}
