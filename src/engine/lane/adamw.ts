import { intendedAdamw } from "../../update/recipe/adamw.js";
import type { Condition } from "../../update/recipe/expression.js";
import { AdamwStep, type SimulatedRun } from "../../update/simulated-adamw.js";
import type { Lane } from "./lane.js";
import { type Fma, namesRead, writeRecipe } from "./recipe.js";

/** AdamW on drawn gradients, as in update/simulated-adamw.ts. */

/** Updates do not depend on `unguarded`. */
const lines = intendedAdamw.weight.filter((line) => !line.startsWith("unguarded"));
const states = ["g", "M", "V", "P"] as const;

/** The fp32 scalars that the lines of a step read, in the order of their memory. */
export const adamwScalars = namesRead(lines).filter((name) => !states.some((state) => state === name));

/** A weight's moments in the fp32 run, and its gradient. */
export interface LaneMoments<V> {
  readonly weight: V;
  readonly m: V;
  readonly v: V;
  readonly gradient: V;
}

/** The moments after a step, and the update of the weight. */
export function adamwStep<V>(
  k: Lane<V>,
  fma: Fma<V>,
  scalars: readonly V[],
  { weight, m, v, gradient }: LaneMoments<V>,
  holds: (condition: Condition) => boolean,
): { readonly m: V; readonly v: V; readonly update: V } {
  const values = new Map<string, V>(adamwScalars.map((name, i) => [name, scalars[i]]));
  for (const [name, value] of Object.entries({ g: gradient, M: m, V: v, P: weight })) values.set(name, value);
  writeRecipe({ k, fma, holds }, lines, values);
  return { m: values.get("M")!, v: values.get("V")!, update: values.get("u")! };
}

/** The scalars of every step of a run, one after the other. */
export function scalarsOf(run: SimulatedRun, steps: number): Float32Array {
  const step = new AdamwStep(run);
  const scalars = new Float32Array(steps * adamwScalars.length);
  for (let t = 1; t <= steps; t++) {
    step.begin(t);
    const ofStep = adamwScalars.map((name) => step.scalar(name));
    scalars.set(ofStep, (t - 1) * adamwScalars.length);
  }
  return scalars;
}

/** Evaluates conditions, which compare a scalar that is the same in all steps with a number. */
export function conditionsOf(run: SimulatedRun): (condition: Condition) => boolean {
  const step = new AdamwStep(run);
  step.begin(1);
  return ({ comparison, left, right }) => {
    if (left.kind !== "name" || right.kind !== "number")
      throw new Error("a condition that no kernel has yet");
    const value = step.scalar(left.name);
    if (comparison === "!=") return value !== right.value;
    return comparison === "<" ? value < right.value : value >= right.value;
  };
}
