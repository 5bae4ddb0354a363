import type { SchemeName } from "../../../update/scheme.js";
import type { V128 } from "../assembler/function.js";
import type { LaneArithmetic } from "./arithmetic.js";

/** {@link WeightState} of update/scheme.ts, of four weights; no carrier where the scheme has none. */
export interface LaneState {
  readonly weight: V128;
  readonly carrier: V128 | null;
}

type Step = (state: LaneState, update: V128, arithmetic: LaneArithmetic) => LaneState;

/** The steps of update/scheme.ts, line by line. */
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
