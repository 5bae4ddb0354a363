import { encode } from "../../format/encode.js";
import { sumTail } from "../../format/float64.js";
import type { Format } from "../../format/format.js";
import { nextDown, nextUp } from "../../format/neighbours.js";
import { type Rounding, round } from "../../format/round.js";
import { startState } from "../../update/apply.js";
import { type SchemeName, schemeNames, schemes, type WeightState } from "../../update/scheme.js";
import { type UpdateOptions, type UpdateSettings, updateSettings } from "../../update/settings.js";
import { binOf } from "../bin.js";
import { type Class, classes, classify } from "../classify.js";
import { type Numeral, numeral } from "./numeral.js";
import { type Outcome, outcomesOf, probability, sumOf } from "./outcomes.js";
import { outlook, type SchemeOutlook } from "./outlook.js";

/**
 * One weight and one repeated update: the outcome and the reason. docs/explanation.schema.json is its schema.
 */
export interface Explanation {
  readonly schema: "precision-lens-explanation/2";
  readonly format: string;
  readonly rounding: Rounding;
  readonly overflow: string;
  readonly opmath: string;
  readonly scheme: SchemeName;
  readonly weight: {
    readonly given: Numeral;
    /** The number that it is stored as, by nearest-even, and its code; null for NaN in a format that has none. */
    readonly stored: Numeral;
    readonly code: number | null;
    /** The neighbours: Inf or NaN beyond the largest finite number, null where a format has neither; and the gaps. */
    readonly below: Numeral | null;
    readonly above: Numeral | null;
    readonly gapBelow: number | null;
    readonly gapAbove: number | null;
    /** The fp32 master at the start: the weight as given, in fp32; null in a scheme that has none. */
    readonly master: Numeral | null;
  };
  readonly update: {
    readonly given: Numeral;
    /** As fp32, which is what is added. */
    readonly fp32: Numeral;
    /** The gap on the side that the update points to, and |u| in it; null without one. */
    readonly gap: number | null;
    readonly shareOfGap: number | null;
  };
  /** The sum of the stored weight (under a master: of that) and the update, before it is stored. */
  readonly sum: {
    /** What opmath makes of it (with a master: fp32) is value + tail exactly, value being the nearest fp64 number. */
    readonly value: Numeral;
    readonly tail: number;
    /** The neighbours it falls between, itself where it is a number of the format; as those of the weight. */
    readonly below: Numeral | null;
    readonly above: Numeral | null;
    /** Where between them, 0 to 1; null where not both are finite. */
    readonly position: number | null;
    readonly tie: boolean;
    /** What it rounds to; two numbers where the rounding is drawn. */
    readonly roundsTo: readonly { readonly value: Numeral; readonly probability: number }[];
  };
  /** The sums that round to the weight as it is stored: from low to high. null where it is not finite. */
  readonly stays: {
    readonly low: Numeral;
    readonly high: Numeral;
    readonly lowIncluded: boolean;
    readonly highIncluded: boolean;
  } | null;
  /** What the scheme makes of the update in its first step. */
  readonly step: {
    /** By weight and carrier, ascending; a single one with probability 1 unless rounding is stochastic. */
    readonly outcomes: readonly {
      readonly weight: Numeral;
      /** null in a scheme that has none. */
      readonly carrier: Numeral | null;
      readonly becomes: Class;
      readonly probability: number;
    }[];
    /** The probability of each class. */
    readonly chances: Readonly<Record<Class, number>>;
    /** The displacement of the stored weight (the mean, if stochastic); null if it may become non-finite. */
    readonly displacement: number | null;
    /** The same of weight plus carrier (of a master: of that alone), which is what the scheme keeps of the update. */
    readonly retained: number | null;
  };
  /** The same update at every step, in each scheme. */
  readonly schemes: readonly SchemeOutlook[];
}

/** Of one update alone. */
export type StepExplanation = Omit<Explanation, "schema" | "schemes">;

/**
 * Explains the effect of one update on one weight: the neighbouring numbers, the position of the sum, the
 * interval that rounds back to the weight, the change of the carrier, and when the same update at every step
 * first shows.
 *
 * @param weight any number, including NaN and infinities. It is first stored in the format by nearest-even; a
 * master starts from the number as given.
 * @param update as added, sign included; it is rounded to fp32 first.
 * @param options the format, scheme, rounding, overflow and opmath. Under stochastic rounding, probabilities
 * and averages are over all random bits.
 * @returns facts, as JSON holds them; NaN, infinities and -0 by name.
 * @throws RangeError for unknown names.
 * @example explain(0.02, 1e-6, { format: "bf16" }).step.chances.lost; // 1
 * @example explain(0.02, 1e-6, { format: "bf16", rounding: "stochastic" }).step.chances.moved; // 0.00819…
 */
export function explain(weight: number, update: number, options: UpdateOptions): Explanation {
  const settings = updateSettings(options);
  return {
    schema: "precision-lens-explanation/2",
    ...explainStep(weight, update, options),
    schemes: schemeNames.map((name) => outlook(weight, Math.fround(update), { ...settings, scheme: name })),
  };
}

/**
 * The same without the repeated update, which may take a second; this takes a fraction of a millisecond.
 *
 * @throws RangeError for unknown names.
 */
export function explainStep(weight: number, update: number, options: UpdateOptions): StepExplanation {
  const settings = updateSettings(options);
  const { format, rounding, overflow, opmath, scheme } = settings;
  const start = startState(weight, settings);
  const { weight: stored } = start;
  const isMaster = schemes[scheme].holds === "carrier";
  const fp32 = Math.fround(update);
  const around = aroundWeight(stored, format);
  const gap = fp32 < 0 ? around.gapBelow : around.gapAbove;
  const toward = fp32 === 0 || !Number.isFinite(fp32) ? null : gap;
  return {
    format: format.name,
    rounding,
    overflow,
    opmath,
    scheme,
    weight: {
      given: numeral(weight),
      stored: numeral(stored),
      code: Number.isNaN(stored) && !format.hasNaN ? null : encode(stored, format),
      ...around,
      master: isMaster ? numeral(start.carrier) : null,
    },
    update: {
      given: numeral(update),
      fp32: numeral(fp32),
      gap: toward,
      shareOfGap: toward === null ? null : Math.abs(fp32) / toward,
    },
    sum: sumOfUpdate(isMaster ? start.carrier : stored, fp32, settings),
    stays: staysOf(stored, settings),
    step: stepOf(start, fp32, settings),
  };
}

type Around = Pick<Explanation["weight"], "below" | "above" | "gapBelow" | "gapAbove">;

function aroundWeight(stored: number, format: Format): Around {
  const [below, above] = [nextDown(stored, format), nextUp(stored, format)];
  return {
    below: stored > -Infinity ? neighbour(below, format) : null,
    above: stored < Infinity ? neighbour(above, format) : null,
    gapBelow: finite(stored - below),
    gapAbove: finite(above - stored),
  };
}

/** @param addend the stored weight, or the master. */
function sumOfUpdate(addend: number, update: number, settings: UpdateSettings): Explanation["sum"] {
  const { format, scheme } = settings;
  const exact = addend + update;
  const inFp32 = settings.opmath === "fp32" || scheme === "master";
  const value = inFp32 ? Math.fround(exact) : exact;
  const tail = inFp32 || !Number.isFinite(exact) ? 0 : sumTail(addend, update, exact);
  const rounded = outcomesOf({ weight: addend, carrier: 0 }, update, {
    ...settings,
    scheme: "in-place",
    opmath: inFp32 ? "fp32" : "exact",
  });
  return {
    value: numeral(value),
    tail: tail + 0,
    ...placeOf(value, tail, format),
    roundsTo: distinct(rounded, ({ state }) => numeral(state.weight)).map(({ key, chance }) => ({
      value: key,
      probability: chance,
    })),
  };
}

function placeOf(
  value: number,
  tail: number,
  format: Format,
): Pick<Explanation["sum"], "below" | "above" | "position" | "tie"> {
  if (!Number.isFinite(value)) return { below: null, above: null, position: null, tie: false };
  const isNear = round(value, format) === value;
  const below = isNear && tail >= 0 ? value : nextDown(value, format);
  const above = isNear && tail <= 0 ? value : nextUp(value, format);
  const gap = above - below;
  const place = { below: neighbour(below, format), above: neighbour(above, format) };
  if (gap === 0) return { ...place, position: 0, tie: false };
  if (!Number.isFinite(gap)) return { ...place, position: null, tie: false };
  // Exact but for the tail, which may be too small to count in the position and yet makes the difference to a tie.
  const beyond = value - below;
  return { ...place, position: (beyond + tail) / gap, tie: beyond - gap / 2 === -tail };
}

function staysOf(stored: number, { format, rounding, overflow }: UpdateSettings): Explanation["stays"] {
  if (!Number.isFinite(stored)) return null;
  const { low, high, lowIncluded, highIncluded } = binOf(stored, format, rounding, overflow);
  return { low: numeral(low), high: numeral(high), lowIncluded, highIncluded };
}

function stepOf(start: WeightState, update: number, settings: UpdateSettings): Explanation["step"] {
  const { carrier: carrierName, holds } = schemes[settings.scheme];
  const outcomes = outcomesOf(start, update, settings);
  const classOf = ({ state }: Outcome) => classify(start, update, state);
  const chanceOf = (name: Class) =>
    probability(sumOf(outcomes.filter((outcome) => classOf(outcome) === name)));
  const first = (key: string) => outcomes.find((outcome) => keyOf(outcome) === key)!;
  return {
    outcomes: distinct(outcomes, keyOf)
      .map(({ key, chance }) => ({ ...first(key), chance }))
      .sort((a, b) => a.state.weight - b.state.weight || a.state.carrier - b.state.carrier)
      .map(({ chance, ...outcome }) => ({
        weight: numeral(outcome.state.weight),
        carrier: carrierName !== null ? numeral(outcome.state.carrier) : null,
        becomes: classOf(outcome),
        probability: chance,
      })),
    chances: Object.fromEntries(classes.map((name) => [name, chanceOf(name)])) as Record<Class, number>,
    displacement: expected(outcomes, ({ weight }) => [weight, -start.weight]),
    retained: expected(outcomes, ({ weight, carrier }) =>
      holds === "carrier" ? [carrier, -start.carrier] : [weight, carrier, -start.weight],
    ),
  };
}

function keyOf({ state }: Outcome): string {
  return `${numeral(state.weight)} ${numeral(state.carrier)}`;
}

/** The distinct outcomes with their probabilities. */
function distinct<K>(
  outcomes: readonly Outcome[],
  by: (outcome: Outcome) => K,
): { key: K; chance: number }[] {
  return [...new Set(outcomes.map(by))].map((key) => ({
    key,
    chance: probability(sumOf(outcomes.filter((outcome) => by(outcome) === key))),
  }));
}

/** Of which all fp32 numbers are multiples. */
const least = 2 ** -149;

/** The mean of a sum of fp32 numbers over all outcomes, rounded once. */
function expected(
  outcomes: readonly Outcome[],
  valuesOf: (state: WeightState) => readonly number[],
): number | null {
  const sums = outcomes.map(({ state, ...chance }) => ({ terms: valuesOf(state), ...chance }));
  if (!sums.every(({ terms }) => terms.every(Number.isFinite))) return null;
  const { numerator, draws } = sumOf(
    sums.map(({ terms, numerator, draws }) => ({
      numerator: terms.reduce((sum, x) => sum + BigInt(x / least), 0n) * numerator,
      draws,
    })),
  );
  return Number(numerator) * 2 ** (-32 * draws) * least;
}

function neighbour(x: number, format: Format): Numeral | null {
  return Number.isNaN(x) && !format.hasNaN ? null : numeral(x);
}

function finite(x: number): number | null {
  return Number.isFinite(x) ? x : null;
}
