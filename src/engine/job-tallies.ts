import { countOfAll } from "../lens/input.js";
import type { CaseTally } from "../lens/run/summarize.js";
import { EndTally, Tally, UpdateTally } from "../lens/tally.js";
import type { LensJob } from "./engine.js";

/** The tallies of one case of a job. */
export interface JobTallies {
  /** Over all tensors, one for each step. */
  readonly steps: readonly UpdateTally[];
  /** Over all tensors, one for each milestone. */
  readonly curve: readonly EndTally[];
  readonly tensors: readonly Tally[];
}

/** Empty tallies for each case of a job. */
export function newTallies({ cases, tensors, stepNumbers, milestones = [] }: LensJob): JobTallies[] {
  return cases.map(() => ({
    steps: stepNumbers.map(() => new UpdateTally()),
    curve: milestones.map(() => new EndTally()),
    tensors: tensors.map(() => new Tally()),
  }));
}

/** The return value of an engine's `run`. */
export function caseTallies(
  { cases, tensors, stepNumbers, milestones = [] }: LensJob,
  tallies: readonly JobTallies[],
): CaseTally[] {
  const elements = countOfAll(tensors);
  return cases.map((settings, c) => {
    const { steps, curve, tensors: ofTensors } = tallies[c];
    return {
      settings,
      tensors: tensors.map(({ name, shape }, t) => ({ name, shape, tally: ofTensors[t] })),
      steps: stepNumbers.map((step, i) => ({ step, tally: steps[i] })),
      curve: milestones.map((index, i) => ({ step: stepNumbers[index], elements, end: curve[i] })),
    };
  });
}
