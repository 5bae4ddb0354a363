import type { Format } from "../../format/format.js";
import type { Rounding } from "../../format/round.js";
import { type Class, classes, classify } from "../../lens/classify.js";
import { startState } from "../../update/apply.js";
import { storageArithmetic } from "../../update/arithmetic.js";
import { schemes, type WeightState } from "../../update/scheme.js";
import { type UpdateOptions, updateSettings } from "../../update/settings.js";
import { randomBits, stepKey, tensorKey } from "../../update/threefry.js";

/** The same update applied repeatedly, with several ways of storing. */
export interface WalkSettings {
  readonly weight: number;
  readonly update: number;
  readonly format: Format;
  /** The rounding of the in-place storage; the others round to nearest-even. */
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
  /** The class of the update of each step. */
  readonly became: readonly Class[];
}

type Options = Omit<UpdateOptions, "seed">;

/** The ways of storing, with the fp32 truth first. */
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

/** The maximum length, which limits memory. */
export const mostSteps = 20_000;

/** Runs `steps` steps of all tracks by the library's scalar specification. */
export function walk(settings: WalkSettings, steps: number): Track[] {
  const { weight, update, seed } = settings;
  const key = tensorKey(seed, "weight");
  return storages(settings).map(({ name, label, ...options }) => {
    const complete = updateSettings(options);
    let state = startState(weight, complete);
    const counts = Object.fromEntries(classes.map((className) => [className, 0])) as Record<Class, number>;
    let firstMoved: number | null = null;
    const path = [state.weight];
    const all: Class[] = [];
    // Like applyUpdate, but resolves the options once: a walk is computed at every move of a dragged weight.
    let [step, draw] = [1, 0];
    const random = () => randomBits(stepKey(key, step), 0, draw++);
    const arithmetic = storageArithmetic(complete, random);
    for (; step <= Math.min(steps, mostSteps); step++) {
      draw = 0;
      const next = schemes[complete.scheme].step(state, Math.fround(update), arithmetic);
      const became = classify(state, Math.fround(update), next);
      counts[became] += 1;
      if (became === "moved") firstMoved ??= step;
      all.push(became);
      state = next;
      path.push(state.weight);
    }
    return { name, label, state, counts, firstMoved, path, became: all };
  });
}

/** A track after the first `steps` steps. */
export function upTo(track: Track, steps: number): Track {
  if (steps >= track.became.length) return track;
  const path = track.path.slice(0, steps + 1);
  const became = track.became.slice(0, steps);
  const counts = Object.fromEntries(classes.map((className) => [className, 0])) as Record<Class, number>;
  for (const each of became) counts[each] += 1;
  const firstMoved = track.firstMoved !== null && track.firstMoved <= steps ? track.firstMoved : null;
  return { ...track, state: { ...track.state, weight: path[steps] }, counts, firstMoved, path, became };
}

/** The range of the finite weights of all tracks, for a chart that shows a part of them. */
export function rangeOf(tracks: readonly Track[]): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const { path } of tracks) {
    for (const weight of path) {
      if (!Number.isFinite(weight)) continue;
      least = Math.min(least, weight);
      most = Math.max(most, weight);
    }
  }
  return [least, most];
}
