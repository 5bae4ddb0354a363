import type { Scheme, WeightState } from "./scheme.js";

/**
 * How a weight whose scale is shared takes an update, in two parts: which number it would be, and, once the numbers of
 * its block have been quantized together, what is kept beside it. All numbers are fp32, and so is the arithmetic.
 */
export interface BlockScheme extends Pick<Scheme, "carrier" | "holds" | "start"> {
  /** The number that is quantized with those of its block. `momentum` is the optimizer's first beta. */
  proposed(state: WeightState, update: number, momentum: number): number;
  /** The carrier after the step; `weight` is what the proposed number was stored as. */
  carried(state: WeightState, proposed: number, weight: number, momentum: number): number;
}

const fl = Math.fround;

/** The schemes that weights with shared scales are stored by. */
export const blockSchemes = {
  /** The codes are a view of an fp32 master, made anew after every step. */
  master: {
    carrier: "fp32 master",
    holds: "carrier",
    start: fl,
    proposed: ({ carrier }, update) => fl(carrier + update),
    carried: (_, proposed) => proposed,
  },

  /** The codes are all there is: read as numbers, updated, and quantized again. */
  "in-place": {
    carrier: null,
    holds: "weight",
    start: () => 0,
    proposed: ({ weight }, update) => fl(weight + update),
    carried: () => 0,
  },

  /**
   * ECO (arXiv 2601.22101): the codes are updated in place, and what their rounding left over goes into the optimizer's
   * momentum, which gives it back over the next steps, a share 1 - beta of what is left each. The carrier is what it still
   * has to give, as an update. Adam's second moment is taken not to change meanwhile.
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
