import type { Scheme, SchemeName, WeightState } from "./scheme.js";

/**
 * How a weight whose scale is shared takes an update, in two parts: which number it would be, and, once the numbers of
 * its block have been quantized together, what is kept beside it. All numbers are fp32, and so is the arithmetic.
 */
export interface BlockScheme extends Pick<Scheme, "holds" | "start"> {
  /** The number that is quantized with those of its block. */
  proposed(state: WeightState, update: number): number;
  /** The carrier after the step; `weight` is what the proposed number was stored as. */
  carried(state: WeightState, update: number, proposed: number, weight: number): number;
}

const fl = Math.fround;

/** The schemes that weights with shared scales are stored by, under the names and with the carriers of {@link Scheme}. */
export const blockSchemes: Readonly<Partial<Record<SchemeName, BlockScheme>>> = {
  /** The codes are a view of an fp32 master, made anew after every step. */
  master: {
    holds: "carrier",
    start: fl,
    proposed: ({ carrier }, update) => fl(carrier + update),
    carried: (_, __, proposed) => proposed,
  },

  /** The codes are all there is: read as numbers, updated, and quantized again. */
  "in-place": {
    holds: "weight",
    start: () => 0,
    proposed: ({ weight }, update) => fl(weight + update),
    carried: () => 0,
  },
};

export const blockSchemeNames = Object.keys(blockSchemes) as readonly SchemeName[];
