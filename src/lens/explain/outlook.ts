import { startState } from "../../update/apply.js";
import { storageArithmetic } from "../../update/arithmetic.js";
import { type SchemeName, schemes, type WeightState } from "../../update/scheme.js";
import type { UpdateSettings } from "../../update/settings.js";
import { binOf } from "../bin.js";
import { type Numeral, numeral } from "./numeral.js";
import { outcomesOf, probability, sumOf } from "./outcomes.js";

/** When a scheme first shows an update that is repeated at every step. */
export interface SchemeOutlook {
  readonly scheme: SchemeName;
  /**
   * The first step after which the stored weight differs; null if none was found, or under stochastic
   * rounding.
   */
  readonly firstVisibleStep: number | null;
  /** Under stochastic rounding: the step at which it first differs on average; null for never, or if not known. */
  readonly expectedStep: number | null;
  /** Under stochastic rounding: the probability that it has differed within the steps that were taken. */
  readonly chanceWithin: number | null;
  /** The weight and the carrier after the first visible step; null without one, and where there is no carrier. */
  readonly weight: Numeral | null;
  readonly carrier: Numeral | null;
  /**
   * Why none was found: no step changes anything any more (`stuck`), every further master is stored as the
   * largest finite number (`saturated`), a number is non-finite, or the search ended.
   */
  readonly never: "stuck" | "saturated" | "nonfinite" | "not within the search" | null;
  /** Steps that were taken. */
  readonly searched: number;
}

/** Steps after which the search for the first visible one ends; about a second. */
export const searchLimit = 10_000_000;
/** Under stochastic rounding: the carrier values followed over all steps; some tenths of a second. */
export const followLimit = 400_000;
/** Probabilities below which a path is dropped: not having moved, and one carrier value. */
const negligible = 2 ** -60;
const improbable = 2 ** -80;

/** @param weight as given, from which a run starts too. */
export function outlook(weight: number, update: number, settings: UpdateSettings): SchemeOutlook {
  const start = startState(weight, settings);
  if (![start.weight, start.carrier, update].every(Number.isFinite)) return unseen(settings, "nonfinite", 0);
  if (settings.scheme === "master" && isHeld(start, update, settings)) {
    return unseen(settings, "saturated", 0);
  }
  return settings.rounding === "stochastic"
    ? drawnOutlook(start, update, settings)
    : certainOutlook(start, update, settings);
}

/** An fp32 master with updates no larger than this stops by fp32 rounding before it overflows. */
const stopsShort = 2 ** 100;

/** Whether a master may go on for ever on the side to which the update points, and is stored as the same number. */
function isHeld(start: WeightState, update: number, settings: UpdateSettings): boolean {
  const { weight: stored } = start;
  const { format, rounding, overflow } = settings;
  const { low, high, lowIncluded, highIncluded } = binOf(stored, format, rounding, overflow);
  const [end, included] = update < 0 ? [low, lowIncluded] : [high, highIncluded];
  const isEndless = update !== 0 && Math.abs(end) === Infinity && (included || Math.abs(update) < stopsShort);
  return isEndless && outcomesOf(start, 0, settings).every(({ state }) => state.weight === stored);
}

function certainOutlook(start: WeightState, update: number, settings: UpdateSettings): SchemeOutlook {
  const { step } = schemes[settings.scheme];
  const arithmetic = storageArithmetic(settings, () => 0);
  let state = start;
  for (let taken = 1; taken <= searchLimit; taken++) {
    const next = step(state, update, arithmetic);
    if (!Number.isFinite(next.weight)) return unseen(settings, "nonfinite", taken);
    if (next.weight !== start.weight) return seen(settings, next, taken);
    if (next.carrier === state.carrier) return unseen(settings, "stuck", taken);
    state = next;
  }
  return unseen(settings, "not within the search", searchLimit);
}

/**
 * The expected number of steps is the sum over all steps of the chance that the weight has not moved before. While it has
 * not, the carrier alone makes a difference: its distribution is followed from step to step.
 */
function drawnOutlook(start: WeightState, update: number, settings: UpdateSettings): SchemeOutlook {
  const stayingBy = new Map<number, Staying>();
  const stayingAt = (carrier: number) => {
    const staying =
      stayingBy.get(carrier) ?? stayingFrom({ weight: start.weight, carrier }, update, settings);
    stayingBy.set(carrier, staying);
    return staying;
  };
  let waiting = new Map([[start.carrier, 1]]);
  let expected = 0;
  let followed = 0;
  let taken = 0;
  while (followed <= followLimit) {
    taken += 1;
    followed += waiting.size;
    const left = new Map<number, number>();
    for (const [carrier, chance] of waiting) {
      if (chance < improbable) continue;
      for (const [next, stays] of stayingAt(carrier).to)
        left.set(next, (left.get(next) ?? 0) + chance * stays);
    }
    const [before, after] = [sum(waiting.values()), sum(left.values())];
    const [[carrier], ...others] = waiting;
    if (others.length === 0 && left.size === 1 && left.has(carrier)) {
      const { chance } = stayingAt(carrier);
      if (chance === 1) return unseen(settings, "stuck", taken);
      // All further steps are the same.
      const expectedStep = expected + before / (1 - chance);
      return { ...unseen(settings, null, taken), expectedStep, chanceWithin: rest(after) };
    }
    expected += before;
    waiting = left;
    if (after < negligible)
      return { ...unseen(settings, null, taken), expectedStep: expected, chanceWithin: 1 };
  }
  return { ...unseen(settings, "not within the search", taken), chanceWithin: rest(sum(waiting.values())) };
}

/** The carrier after a step that leaves the stored weight unchanged, and its probability. */
interface Staying {
  readonly to: readonly (readonly [carrier: number, probability: number])[];
  readonly chance: number;
}

function stayingFrom(state: WeightState, update: number, settings: UpdateSettings): Staying {
  const outcomes = outcomesOf(state, update, settings).filter(
    ({ state: { weight } }) => weight === state.weight,
  );
  return {
    to: outcomes.map((outcome) => [outcome.state.carrier, probability(outcome)]),
    chance: probability(sumOf(outcomes)),
  };
}

/** Rounded sums of probabilities may exceed 1 by some last bits. */
function rest(chance: number): number {
  return Math.max(0, 1 - chance);
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const x of numbers) total += x;
  return total;
}

function seen({ scheme }: UpdateSettings, state: WeightState, step: number): SchemeOutlook {
  return {
    scheme,
    firstVisibleStep: step,
    expectedStep: null,
    chanceWithin: null,
    weight: numeral(state.weight),
    carrier: schemes[scheme].carrier === null ? null : numeral(state.carrier),
    never: null,
    searched: step,
  };
}

function unseen({ scheme }: UpdateSettings, never: SchemeOutlook["never"], searched: number): SchemeOutlook {
  const nothing = {
    firstVisibleStep: null,
    expectedStep: null,
    chanceWithin: null,
    weight: null,
    carrier: null,
  };
  return { scheme, ...nothing, never, searched };
}
