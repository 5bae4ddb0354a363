import type { BlockSchemeName } from "../../update/block-scheme.js";
import type { Lane } from "./lane.js";
import type { LaneState } from "./scheme.js";

/** The steps of update/block-scheme.ts on lanes, line by line. `momentum` is the optimizer's first beta. */
export interface LaneBlockScheme {
  proposed<V>(k: Lane<V>, state: LaneState<V>, update: V, momentum: number): V;
  /** The carrier after the step; null where the scheme has none. */
  carried<V>(k: Lane<V>, state: LaneState<V>, proposed: V, weight: V, momentum: number): V | null;
}

export const laneBlockSchemes: Readonly<Record<BlockSchemeName, LaneBlockScheme>> = {
  master: {
    proposed: ({ f32x4 }, { carrier }, update) => f32x4.add(carrier!, update),
    carried: (_, __, proposed) => proposed,
  },

  "in-place": {
    proposed: ({ f32x4 }, { weight }, update) => f32x4.add(weight, update),
    carried: () => null,
  },

  eco: {
    proposed({ f32x4 }, { weight, carrier }, update, momentum) {
      const returned = f32x4.mul(f32x4.constant(Math.fround(1 - momentum)), carrier!);
      return f32x4.add(weight, f32x4.add(update, returned));
    },
    carried({ f32x4 }, { carrier }, proposed, weight, momentum) {
      const rest = f32x4.mul(f32x4.constant(momentum), carrier!);
      return f32x4.add(rest, f32x4.sub(proposed, weight));
    },
  },
};
