import { encode } from "../format/encode.js";
import { sumTail } from "../format/float64.js";
import { nextDown, nextUp } from "../format/neighbours.js";
import { round } from "../format/round.js";
import { startState } from "../update/apply.js";
import { storageArithmetic } from "../update/arithmetic.js";
import { type SchemeName, schemeNames, schemes, type WeightState } from "../update/scheme.js";
import { type UpdateSettings, updateSettings } from "../update/settings.js";
import { type Class, classify } from "./classify.js";

/** One weight, one update, repeated: what becomes of it and why. */
export interface Explanation {
  readonly schema: "precision-lens-explanation/1";
  readonly format: string;
  readonly rounding: string;
  readonly opmath: string;
  readonly weight: {
    readonly given: number;
    /** The number of the format that it is stored as, and the code of that. */
    readonly stored: number;
    readonly code: number;
    /** The neighbours and the gaps to them; null beyond the largest finite numbers. */
    readonly below: number | null;
    readonly above: number | null;
    readonly gapBelow: number | null;
    readonly gapAbove: number | null;
  };
  readonly update: {
    readonly given: number;
    /** As fp32, which is what is added. */
    readonly fp32: number;
    /** Half the gap on the side that the update points to: what it must pass to show under rounding to nearest. */
    readonly halfGap: number | null;
    /** |u| / halfGap */
    readonly shareOfHalfGap: number | null;
  };
  readonly sum: {
    /** The fp64 sum of the stored weight and the update. */
    readonly value: number;
    /** The neighbours it falls between, itself where it is a number of the format; null beyond the finite ones. */
    readonly below: number | null;
    readonly above: number | null;
    /** Where between them, 0 to 1. */
    readonly position: number;
    readonly tie: boolean;
    /** What in-place storage makes of it; null for NaN and Inf. */
    readonly rounded: number | null;
  };
  /** The class of the in-place update. */
  readonly becomes: Class;
  readonly schemes: readonly SchemeOutlook[];
  /** Under stochastic rounding: the chance that the stored weight moves in one step. */
  readonly stochasticChance: number;
}

/** When a scheme first shows the update, if it is repeated at every step. */
export interface SchemeOutlook {
  readonly scheme: SchemeName;
  /** The first step after which the stored weight differs; null if none was found. */
  readonly firstVisibleStep: number | null;
  /** Why none was found: no step changes anything any more, the weight left the finite numbers, the search ended. */
  readonly never: "stuck" | "overflow" | "not within the search" | null;
  /** Steps that were taken. */
  readonly searched: number;
}

/** Steps after which the search for the first visible one ends; about a second. */
export const searchLimit = 10_000_000;

/**
 * Explains one update of one weight. Stochastic rounding is told by its chance; the schemes are then judged under
 * nearest-even.
 *
 * @throws RangeError if the weight or the update is not finite, or not so in the format.
 */
export function explain(given: number, update: number, settings: UpdateSettings): Explanation {
  const fp32 = Math.fround(update);
  const deterministic =
    settings.rounding === "stochastic" ? updateSettings({ ...settings, rounding: "nearest-even" }) : settings;
  const { format } = settings;
  const start = startState(given, { ...deterministic, scheme: "in-place" });
  const stored = start.weight;
  if (!Number.isFinite(stored))
    throw new RangeError(`weight ${given} is ${stored} in ${format.name}: expected a finite number`);
  if (!Number.isFinite(fp32))
    throw new RangeError(`update ${update} is ${fp32} in fp32: expected a finite number`);

  const after = schemes["in-place"].step(start, fp32, arithmeticOf(deterministic));
  const below = nextDown(stored, format);
  const above = nextUp(stored, format);
  const halfGap = halfGapToward(stored, fp32, below, above);
  return {
    schema: "precision-lens-explanation/1",
    format: format.name,
    rounding: settings.rounding,
    opmath: settings.opmath,
    weight: {
      given,
      stored,
      code: encode(stored, format),
      below: finite(below),
      above: finite(above),
      gapBelow: finite(stored - below),
      gapAbove: finite(above - stored),
    },
    update: {
      given: update,
      fp32,
      halfGap,
      shareOfHalfGap: halfGap === null ? null : Math.abs(fp32) / halfGap,
    },
    sum: fallOf(stored, fp32, after.weight, deterministic),
    becomes: classify(start, fp32, after),
    schemes: schemeNames.map((scheme) => outlook(stored, fp32, { ...deterministic, scheme })),
    stochasticChance: stochasticChance(stored, fp32, settings),
  };
}

function halfGapToward(stored: number, update: number, below: number, above: number): number | null {
  const gap = update < 0 ? stored - below : above - stored;
  return update === 0 || !Number.isFinite(gap) ? null : gap / 2;
}

function fallOf(
  stored: number,
  update: number,
  rounded: number,
  { format, opmath }: UpdateSettings,
): Explanation["sum"] {
  const exact = stored + update;
  const value = opmath === "fp32" ? Math.fround(exact) : exact;
  const tail = opmath === "fp32" ? 0 : sumTail(stored, update, exact);
  const nearNumber = round(value, format) === value;
  const isNumber = nearNumber && tail === 0;
  const below = nearNumber && tail >= 0 ? value : nextDown(value, format);
  const above = nearNumber && tail <= 0 ? value : nextUp(value, format);
  const position = isNumber || !Number.isFinite(above - below) ? 0 : (value - below + tail) / (above - below);
  return {
    value,
    below: finite(below),
    above: finite(above),
    position,
    tie: position === 0.5,
    rounded: finite(rounded),
  };
}

/** Starts from a stored weight, as from a checkpoint: no carrier holds anything yet. */
function outlook(stored: number, update: number, settings: UpdateSettings): SchemeOutlook {
  const { scheme } = settings;
  const arithmetic = arithmeticOf(settings);
  let state: WeightState = startState(stored, settings);
  for (let step = 1; step <= searchLimit; step++) {
    const next = schemes[scheme].step(state, update, arithmetic);
    if (!Number.isFinite(next.weight)) {
      return { scheme, firstVisibleStep: null, never: "overflow", searched: step };
    }
    if (next.weight !== stored) return { scheme, firstVisibleStep: step, never: null, searched: step };
    if (next.carrier === state.carrier) {
      return { scheme, firstVisibleStep: null, never: "stuck", searched: step };
    }
    state = next;
  }
  return { scheme, firstVisibleStep: null, never: "not within the search", searched: searchLimit };
}

/** The chance that stochastic rounding of w + u gives another number than w: counted over all 2^32 random bits. */
function stochasticChance(stored: number, update: number, settings: UpdateSettings): number {
  if (update === 0) return 0;
  const stochastic = updateSettings({ ...settings, rounding: "stochastic" });
  const moves = (bits: number) => storageArithmetic(stochastic, () => bits).add(stored, update) !== stored;
  // A larger draw can only round away from zero, so the outcome changes at most once: bisection.
  const [first, last] = [moves(0), moves(2 ** 32 - 1)];
  if (first === last) return first ? 1 : 0;
  let [low, high] = [0, 2 ** 32 - 1];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (moves(middle) === first) low = middle;
    else high = middle;
  }
  return first ? high / 2 ** 32 : 1 - high / 2 ** 32;
}

function finite(x: number): number | null {
  return Number.isFinite(x) ? x : null;
}

function arithmeticOf(settings: UpdateSettings) {
  return storageArithmetic(settings, () => 0);
}
