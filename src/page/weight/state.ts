import { type Rounding, roundings } from "../../format/round.js";
import { anyNumberField, choiceField, type Fields, numberField, wholeField } from "../location.js";
import { formatNames } from "../settings.js";
import { mostSteps } from "./walk.js";

/** The state of the weight view in the address. */
export interface WeightState {
  readonly w: number;
  readonly u: number;
  readonly format: string;
  readonly rounding: Rounding;
  /** The width of the line in gaps of the weight. */
  readonly gaps: number;
  /** The number of steps of the walk. */
  readonly steps: number;
}

export const leastGaps = 1 / 64;
export const mostGaps = 2 ** 20;

/** The default number of steps: enough for the default update to be visible in fp32 and not in-place. */
export const usualSteps = 1000;

export const weightFields: Fields<WeightState> = {
  w: anyNumberField(0.02),
  u: anyNumberField(1e-6),
  format: choiceField(formatNames, "bf16"),
  rounding: choiceField(roundings, "nearest-even"),
  gaps: numberField(4, leastGaps, mostGaps),
  steps: wholeField(usualSteps, 0, mostSteps),
};
