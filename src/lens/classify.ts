import type { WeightState } from "../update/scheme.js";

/** The fate of one update of one weight. Every weight-step has exactly one class. */
export const classes = ["none", "lost", "kept", "moved", "nonfinite"] as const;
export type Class = (typeof classes)[number];

/** The same with shared scales: `collateral` are those whose number changed only because a scale did. */
export const sharedClasses = [...classes, "collateral"] as const;
export type SharedClass = (typeof sharedClasses)[number];

/**
 * The class of one weight-step, tested in this order:
 * - `nonfinite`: the weight, the update or the result (carrier included) is NaN or Inf;
 * - `none`: the update is zero;
 * - `moved`: the stored number changed;
 * - `kept`: only the carrier changed;
 * - `lost`: neither did.
 *
 * Changed means different bits, with +0 = -0: numbers of a format have one code each, so `!==` tests this.
 *
 * @param before the stored weight and its carrier (0 without one) before the update.
 * @param update the addend, an fp32 number.
 * @param after the same after the update.
 * @returns one of the five classes.
 * @throws nothing: it is called for every update.
 * @example classify({ weight: 1, carrier: 0 }, 1e-6, { weight: 1, carrier: 0 }); // "lost"
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

/**
 * The class of one weight-step where scales are shared, tested in the order of {@link classify} with one class before `none`:
 * - `collateral`: the stored number changed, and the code would not have under the scales before the step. Others of the
 *   block or tensor moved the scale; the update may be zero.
 *
 * So `moved` remains for numbers that changed because of their own update.
 *
 * @param codeMoves whether the weight's code after the step would differ under the scales before it.
 */
export function classifyShared(
  before: WeightState,
  update: number,
  after: WeightState,
  codeMoves: boolean,
): SharedClass {
  const className = classify(before, update, after);
  return className !== "nonfinite" && after.weight !== before.weight && !codeMoves ? "collateral" : className;
}
