import type { Format } from "../../format/format.js";
import type { Rounding } from "../../format/round.js";
import { type Class, classes, classify } from "../../lens/classify.js";
import { applyUpdate, startState } from "../../update/apply.js";
import type { WeightState } from "../../update/scheme.js";
import { type UpdateOptions, updateSettings } from "../../update/settings.js";
import { randomBits, stepKey, tensorKey } from "../../update/threefry.js";

/** The same update again and again, stored in several ways. */
export interface WalkSettings {
  readonly weight: number;
  readonly update: number;
  readonly format: Format;
  /** Of the in-place storage; the others round to nearest-even. */
  readonly rounding: Rounding;
  readonly seed: number;
}

export interface Track {
  readonly name: string;
  readonly label: string;
  readonly state: WeightState;
  readonly counts: Readonly<Record<Class, number>>;
  /** The first step that changed the stored weight. */
  readonly firstMoved: number | null;
  /** The stored weight before the first step and after each. */
  readonly path: readonly number[];
}

type Options = Omit<UpdateOptions, "seed">;

/** The ways to store, the fp32 truth first. */
function storages({
  format,
  rounding,
}: WalkSettings): readonly (Options & { name: string; label: string })[] {
  return [
    { name: "fp32", label: "fp32", format: "fp32" },
    {
      name: "in-place",
      label: "in-place",
      format,
      rounding: rounding === "stochastic" ? "nearest-even" : rounding,
    },
    { name: "master", label: "fp32 master", format, scheme: "master" },
    { name: "kahan", label: "Kahan", format, scheme: "kahan" },
    { name: "stochastic", label: "stochastic", format, rounding: "stochastic" },
  ];
}

/** Longer walks would only fill the memory. */
export const mostSteps = 20_000;

/** Takes all tracks from the start through `steps` steps by the library's scalar specification. */
export function walk(settings: WalkSettings, steps: number): Track[] {
  const { weight, update, seed } = settings;
  const key = tensorKey(seed, "weight");
  return storages(settings).map(({ name, label, ...options }) => {
    // All start from what is stored: the fp32 run too, so that they can be told apart by what follows.
    const stored = startState(weight, updateSettings({ format: settings.format })).weight;
    const complete = updateSettings(options);
    let state = startState(stored, complete);
    const counts = Object.fromEntries(classes.map((className) => [className, 0])) as Record<Class, number>;
    let firstMoved: number | null = null;
    const path = [state.weight];
    for (let step = 1; step <= Math.min(steps, mostSteps); step++) {
      let draw = 0;
      const random = () => randomBits(stepKey(key, step), 0, draw++);
      const next = applyUpdate(state, update, { ...complete, random });
      const became = classify(state, Math.fround(update), next);
      counts[became] += 1;
      if (became === "moved") firstMoved ??= step;
      state = next;
      path.push(state.weight);
    }
    return { name, label, state, counts, firstMoved, path };
  });
}
