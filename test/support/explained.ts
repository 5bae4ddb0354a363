import { applyUpdate } from "../../src/update/apply.js";
import { exactSum, type Located, locate, locateThroughFloat32, roundLocated } from "./exact.js";
import {
  expectedRound,
  expectedUnits,
  type OracleOverflow,
  type OracleRounding,
  placeOfUnits,
  toUnits,
} from "./oracle.js";
import { fp32, type OracleFormat, valueTable } from "./oracle-formats.js";

/**
 * The expected output of `explain`, derived independently: the schemes as in the contract, over integers and over all
 * draws; `applyUpdate` step by step; neighbours from tables of all numbers of a format.
 */

export type SchemeName = "in-place" | "master" | "kahan" | "two-term";

/** The arguments of `explain`. */
export interface Question {
  readonly format: OracleFormat;
  readonly weight: number;
  readonly update: number;
  readonly rounding: OracleRounding;
  readonly scheme: SchemeName;
  readonly overflow: OracleOverflow;
  readonly opmath: "fp32" | "exact";
}

export interface State {
  readonly weight: number;
  readonly carrier: number;
}

/** A possible value, with probability numerator / 2^(32 draws). */
export interface Way<T> {
  readonly value: T;
  readonly numerator: bigint;
  readonly draws: number;
}

function sure<T>(value: T): Way<T>[] {
  return [{ value, numerator: 1n, draws: 0 }];
}

function andThen<A, B>(ways: readonly Way<A>[], next: (value: A) => readonly Way<B>[]): Way<B>[] {
  return ways.flatMap(({ value, numerator, draws }) =>
    next(value).map((way) => ({
      value: way.value,
      numerator: numerator * way.numerator,
      draws: draws + way.draws,
    })),
  );
}

/** All that a located result may round to. */
function waysOf(located: Located, { format, rounding, overflow }: Question): Way<number>[] {
  const by = (bits: number) => roundLocated(located, format, rounding, overflow, bits);
  if (rounding !== "stochastic" || !("place" in located) || located.place.exact) return sure(by(0));
  const away = BigInt(located.place.fraction);
  return [
    { value: by(0), numerator: 2n ** 32n - away, draws: 1 },
    { value: by(2 ** 32 - 1), numerator: away, draws: 1 },
  ].filter(({ numerator }) => numerator > 0n);
}

function add(a: number, b: number, question: Question): Way<number>[] {
  const sum = exactSum(a, b);
  const { format, opmath } = question;
  return waysOf(opmath === "exact" ? locate(sum, format) : locateThroughFloat32(sum, format), question);
}

function inFloat32(a: number, b: number): number {
  return roundLocated(locate(exactSum(a, b), fp32), fp32, "nearest-even", "ieee");
}

/** R of an fp32 number. */
function store(x: number, question: Question): Way<number>[] {
  return x === 0 ? sure(x) : waysOf(locate(exactSum(x, 0), question.format), question);
}

/** The schemes, line for line as in the contract. */
export function step({ weight: w, carrier: k }: State, u: number, question: Question): Way<State>[] {
  const plus = (a: number, b: number) => add(a, b, question);
  const minus = (a: number, b: number) => add(a, -b, question);
  switch (question.scheme) {
    case "in-place":
      return andThen(plus(w, u), (weight) => sure({ weight, carrier: 0 }));
    case "master": {
      const carrier = inFloat32(k, u);
      return andThen(store(carrier, question), (weight) => sure({ weight, carrier }));
    }
    case "kahan":
      return andThen(plus(k, u), (pending) =>
        andThen(plus(w, pending), (weight) =>
          andThen(minus(w, weight), (part) =>
            andThen(plus(pending, part), (carrier) => sure({ weight, carrier })),
          ),
        ),
      );
    case "two-term":
      return andThen(plus(w, u), (x) =>
        andThen(minus(x, w), (arrived) =>
          andThen(minus(u, arrived), (missing) =>
            andThen(plus(k, missing), (r) =>
              andThen(plus(x, r), (weight) =>
                andThen(minus(weight, x), (part) =>
                  andThen(minus(r, part), (carrier) => sure({ weight, carrier })),
                ),
              ),
            ),
          ),
        ),
      );
  }
}

/** An fp32 master starts from the weight as given. */
export function start(question: Question): State {
  return { weight: storedOf(question), carrier: question.scheme === "master" ? masterOf(question) : 0 };
}

function masterOf({ weight }: Question): number {
  return expectedRound(weight, fp32, "nearest-even", "ieee");
}

/** What the update is added to. */
export function addendOf(question: Question): number {
  return question.scheme === "master" ? masterOf(question) : storedOf(question);
}

export function storedOf({ format, weight, overflow }: Question): number {
  return expectedRound(weight, format, "nearest-even", overflow);
}

/** Merges ways with the same value; each probability is rounded once. */
export function merged<T>(ways: readonly Way<T>[], keyOf: (value: T) => string): Map<string, number> {
  const keys = new Set(ways.map(({ value }) => keyOf(value)));
  return new Map(
    [...keys].map((key) => [key, probabilityOf(ways.filter(({ value }) => keyOf(value) === key))]),
  );
}

/** The sum of the probabilities of ways, rounded once. */
export function probabilityOf(ways: readonly Way<unknown>[]): number {
  return meanOf(ways.map((way) => ({ ...way, value: [1] })));
}

/** The mean of sums of numbers over all ways, rounded once. */
export function meanOf(ways: readonly Way<readonly number[]>[]): number {
  const draws = Math.max(0, ...ways.map((way) => way.draws));
  const total = ways.reduce((sum, { value, numerator, draws: drawn }) => {
    const units = value.reduce((all, x) => all + toUnits(x), 0n);
    return sum + ((units * numerator) << BigInt(32 * (draws - drawn)));
  }, 0n);
  return quotient(total, 2n ** BigInt(1074 + 32 * draws));
}

/** a / b, rounded once; b is a power of two, and the quotient no subnormal. */
export function quotient(a: bigint, b: bigint): number {
  if (a === 0n) return 0;
  const trailing = (n: bigint) => /0*$/.exec(n.toString(2))![0].length;
  const shift = trailing(a < 0n ? -a : a);
  // The sign is not part of the digits that are shifted out, which are zeros.
  return Number(a / 2n ** BigInt(shift)) * 2 ** shiftLimited(shift - trailing(b));
}

function shiftLimited(exponent: number): number {
  if (exponent < -1022 || exponent > 1023) throw new RangeError(`2^${exponent} is no normal number`);
  return exponent;
}

/** The neighbour of a finite number in the format's table; a name for what is beyond, null for nothing. */
export function neighbourOf(x: number, side: -1 | 1, format: OracleFormat): number | null {
  const { values } = valueTable(format);
  if (x === 0) return side * values[1]!;
  const at = values.indexOf(Math.abs(x));
  const outward = Math.sign(x) === side;
  const magnitude = values[outward ? at + 1 : at - 1]!;
  if (magnitude > format.largest) {
    return { infinity: side * Infinity, nan: Number.NaN, nothing: null }[format.beyond];
  }
  return magnitude === 0 && !format.signedZero ? 0 : Math.sign(x) * magnitude;
}

/** Whether the first sum, were the update zero, may be stored as the weight. */
export function mayStart(question: Question): boolean {
  return mayStay(toUnits(addendOf(question)), question);
}

/** Whether an exact number of units may be stored as the weight. */
export function mayStay(units: bigint, question: Question): boolean {
  const { format, rounding, overflow } = question;
  const stored = storedOf(question);
  if (units === 0n) return stored === 0;
  return [0, 2 ** 32 - 1].some((bits) => expectedUnits(units, format, rounding, overflow, bits) === stored);
}

/** Where an exact sum, in units, falls between two numbers: the numbers, and how far it is from the lower one. */
export function fallOf(units: bigint, format: OracleFormat) {
  if (units === 0n) return null;
  const negative = units < 0n;
  const place = placeOfUnits(negative ? -units : units, format);
  const [low, high] = negative ? [-place.above, -place.below] : [place.below, place.above];
  const isBeyond = (place.exact ? place.below : place.above) > format.largest;
  if (isBeyond) return { low, high, position: null, tie: false };
  if (place.exact) {
    const value = negative ? -place.below : place.below;
    return { low: value, high: value, position: 0, tie: false };
  }
  const position = quotient(units - toUnits(low), toUnits(high) - toUnits(low));
  return { low, high, position, tie: place.half === 0 };
}

/** When the same update first shows, by `applyUpdate` step by step. */
export function walk(question: Question, steps: number) {
  const { format, rounding, scheme, overflow, opmath, update } = question;
  const options = { format: format.name, rounding, scheme, overflow, opmath };
  const stored = storedOf(question);
  let state: State = start(question);
  for (let taken = 1; taken <= steps; taken++) {
    const next = applyUpdate(state, update, options);
    if (!Number.isFinite(next.weight)) return { ended: "nonfinite", taken, state: next } as const;
    if (next.weight !== stored) return { ended: "shown", taken, state: next } as const;
    if (next.carrier === state.carrier) return { ended: "stuck", taken, state: next } as const;
    state = next;
  }
  return { ended: "open", taken: steps, state } as const;
}

/**
 * The mean of the first step that shows, over all draws, and the probability that one does within `steps`; the chance of
 * none by then is the error of the mean.
 */
export function meanWalk(question: Question, steps: number) {
  const u = Math.fround(question.update);
  const { weight, carrier } = start(question);
  const from = new Map<number, readonly (readonly [number, number])[]>();
  let waiting = new Map([[carrier, 1]]);
  let [mean, open] = [0, 1];
  for (let taken = 1; taken <= steps && open > 1e-17; taken++) {
    mean += open;
    const left = new Map<number, number>();
    for (const [held, chance] of waiting) {
      let staying = from.get(held);
      if (!staying) {
        const ways = step({ weight, carrier: held }, u, question).filter(
          ({ value }) => value.weight === weight,
        );
        staying = ways.map((way) => [way.value.carrier, probabilityOf([way])] as const);
        from.set(held, staying);
      }
      for (const [next, stays] of staying) left.set(next, (left.get(next) ?? 0) + chance * stays);
    }
    waiting = left;
    open = [...left.values()].reduce((sum, chance) => sum + chance, 0);
  }
  return { mean, open };
}
