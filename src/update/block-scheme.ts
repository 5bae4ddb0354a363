import type { Scheme, WeightState } from "./scheme.js";

/**
 * How a weight with a shared scale takes an update, in two parts: the number to be quantized with its block,
 * and the carrier after quantization. Numbers and arithmetic are fp32.
 */
export interface BlockScheme extends Pick<Scheme, "carrier" | "holds" | "start"> {
  /** The number that is quantized with those of its block. `momentum` is the optimizer's first beta. */
  proposed(state: WeightState, update: number, momentum: number): number;
  /** The carrier after the step; `weight` is the stored form of the proposed number. */
  carried(state: WeightState, proposed: number, weight: number, momentum: number): number;
}

const fl = Math.fround;

/** The storage schemes for weights with shared scales. */
export const blockSchemes = {
  /** The codes are a view of an fp32 master, requantized after every step. */
  master: {
    carrier: "fp32 master",
    holds: "carrier",
    start: fl,
    proposed: ({ carrier }, update) => fl(carrier + update),
    carried: (_, proposed) => proposed,
  },

  /** Only the codes exist: decoded, updated, and quantized again. */
  "in-place": {
    carrier: null,
    holds: "weight",
    start: () => 0,
    proposed: ({ weight }, update) => fl(weight + update),
    carried: () => 0,
  },

  /**
   * ECO (arXiv 2601.22101): the codes are updated in-place, and their rounding error goes into the
   * optimizer's momentum, which returns it over the next steps, a share 1 - beta of the remainder each. The
   * carrier is the remainder, as an update. This assumes that Adam's second moment does not change meanwhile.
   */
  eco: {
    carrier: "momentum",
    holds: "sum",
    start: () => 0,
    proposed: ({ weight, carrier }, update, momentum) =>
      fl(weight + fl(update + fl(fl(1 - momentum) * carrier))),
    carried: ({ carrier }, proposed, weight, momentum) => fl(fl(momentum * carrier) + fl(proposed - weight)),
  },
} as const satisfies Readonly<Record<string, BlockScheme>>;

export type BlockSchemeName = keyof typeof blockSchemes;

export const blockSchemeNames = Object.keys(blockSchemes) as readonly BlockSchemeName[];
