import type { SchemeName } from "../../update/scheme.js";
import type { LaneArithmetic } from "./arithmetic.js";

/** {@link WeightState} of update/scheme.ts for lanes of weights; the carrier is null if the scheme has none. */
export interface LaneState<V> {
  readonly weight: V;
  readonly carrier: V | null;
}

type Step = <V>(state: LaneState<V>, update: V, arithmetic: LaneArithmetic<V>) => LaneState<V>;

/** The steps of update/scheme.ts, line for line. */
export const schemeSteps: Readonly<Record<SchemeName, Step>> = {
  "in-place": ({ weight }, update, { add }) => ({ weight: add(weight, update), carrier: null }),

  master: ({ carrier }, update, { fp32Add, store }) => {
    const master = fp32Add(carrier!, update);
    return { weight: store(master), carrier: master };
  },

  kahan: ({ weight, carrier }, update, { add, subtract }) => {
    const pending = add(carrier!, update);
    const next = add(weight, pending);
    return { weight: next, carrier: add(pending, subtract(weight, next)) };
  },

  "two-term": ({ weight, carrier }, update, { add, subtract }) => {
    const sum = add(weight, update);
    const second = add(carrier!, subtract(update, subtract(sum, weight)));
    const next = add(sum, second);
    return { weight: next, carrier: subtract(second, subtract(next, sum)) };
  },
};
