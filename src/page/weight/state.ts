import { type Rounding, roundings } from "../../format/round.js";
import { anyNumberField, choiceField, type Fields, numberField, wholeField } from "../location.js";
import { formatNames } from "../settings.js";
import { mostSteps } from "./walk.js";

/** All that the address says of the view of one weight. */
export interface WeightState {
  readonly w: number;
  readonly u: number;
  readonly format: string;
  readonly rounding: Rounding;
  /** Width of the line in gaps of the weight. */
  readonly gaps: number;
  /** Steps that the walk has taken. */
  readonly steps: number;
}

export const leastGaps = 1 / 64;
export const mostGaps = 2 ** 20;

/** Steps that are shown where nobody has said how many: enough for the default update to show in fp32 and not in-place. */
export const usualSteps = 1000;

export const weightFields: Fields<WeightState> = {
  w: anyNumberField(0.02),
  u: anyNumberField(1e-6),
  format: choiceField(formatNames, "bf16"),
  rounding: choiceField(roundings, "nearest-even"),
  gaps: numberField(4, leastGaps, mostGaps),
  steps: wholeField(usualSteps, 0, mostSteps),
};
