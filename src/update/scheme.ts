import type { Arithmetic } from "./arithmetic.js";

/** A weight as stored, and the scheme's carrier. */
export interface WeightState {
  /** The stored weight, a number of the storage format. */
  readonly weight: number;
  /** The master, the compensation or the second term; 0 without one. */
  readonly carrier: number;
}

/** How a stored weight takes an update. */
export interface Scheme {
  /**
   * The buffer for the part of an update that the stored weight cannot represent, in a few words; null for
   * none.
   */
  readonly carrier: string | null;
  /** What represents all updates so far: the stored weight, the carrier instead, or their sum. */
  readonly holds: "weight" | "carrier" | "sum";
  /** The carrier before the first step, from the weight as given. */
  start(given: number): number;
  step(state: WeightState, update: number, arithmetic: Arithmetic): WeightState;
}

export type SchemeName = "in-place" | "master" | "kahan" | "two-term";

export const schemes: Readonly<Record<SchemeName, Scheme>> = {
  "in-place": {
    carrier: null,
    holds: "weight",
    start: () => 0,
    step: ({ weight }, update, { add }) => ({ weight: add(weight, update), carrier: 0 }),
  },

  /** Micikevicius et al., "Mixed precision training", 2018, section 3.1; the master is fp32 in every opmath. */
  master: {
    carrier: "fp32 master",
    holds: "carrier",
    start: Math.fround,
    step: ({ carrier }, update, { store }) => {
      const master = Math.fround(carrier + update);
      return { weight: store(master), carrier: master };
    },
  },

  /** Zamirai et al., "Revisiting BFloat16 training", 2020, algorithm 4 (as optimi has it). */
  kahan: {
    carrier: "compensation",
    holds: "sum",
    start: () => 0,
    step: ({ weight, carrier }, update, { add, subtract }) => {
      const pending = add(carrier, update);
      const next = add(weight, pending);
      return { weight: next, carrier: add(pending, subtract(weight, next)) };
    },
  },

  /** Yu et al., "Collage: light-weight low-precision strategy for LLM training", 2024: Grow, an expansion. */
  "two-term": {
    carrier: "second term",
    holds: "sum",
    start: () => 0,
    step: ({ weight, carrier }, update, { add, subtract }) => {
      const sum = add(weight, update);
      const second = add(carrier, subtract(update, subtract(sum, weight)));
      const next = add(sum, second);
      return { weight: next, carrier: subtract(second, subtract(next, sum)) };
    },
  },
};

export const schemeNames = Object.keys(schemes) as readonly SchemeName[];
