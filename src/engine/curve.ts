import { countOfAll } from "../lens/input.js";
import type { CurveTally } from "../lens/run/summarize.js";
import { EndTally } from "../lens/tally.js";
import type { LensJob } from "./engine.js";

/** The counts of one case over all tensors, for each milestone of a job. */
export function newCurve({ milestones = [] }: Pick<LensJob, "milestones">): EndTally[] {
  return milestones.map(() => new EndTally());
}

/** The curve of a case from its counts at each milestone. */
export function curveOf(
  { tensors, stepNumbers, milestones = [] }: LensJob,
  ends: readonly EndTally[],
): CurveTally[] {
  const elements = countOfAll(tensors);
  return milestones.map((index, i) => ({ step: stepNumbers[index], elements, end: ends[i] }));
}

/** @throws RangeError where milestones are not steps of the job in their order. */
export function expectMilestones({ stepNumbers, milestones = [] }: LensJob): void {
  for (const [i, index] of milestones.entries()) {
    if (stepNumbers[index] === undefined || index <= (milestones[i - 1] ?? -1)) {
      throw new RangeError(`milestone ${index}: expected indices below ${stepNumbers.length}, ascending`);
    }
  }
}
