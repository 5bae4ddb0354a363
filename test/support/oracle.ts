import { float32Bits, float32FromBits } from "./bits.js";
import { fp32, type OracleFormat, type ValueTable, valueTable } from "./oracle-formats.js";

/** The roundings and overflow modes of the contract, by its words. */
export const deterministicRoundings = [
  "nearest-even",
  "nearest-away",
  "toward-zero",
  "toward-positive",
  "toward-negative",
  "to-odd",
] as const;
export const allRoundings = [...deterministicRoundings, "stochastic"] as const;
export const overflowModes = ["ieee", "saturate"] as const;
export type OracleRounding = (typeof allRoundings)[number];
export type OracleOverflow = (typeof overflowModes)[number];

/** Where a magnitude lies among the numbers of a format, the one that would follow the largest included. */
export interface Place {
  /** The magnitude is `below`, a number of the format, or beyond all of them. */
  readonly exact: boolean;
  readonly below: number;
  readonly above: number;
  /** Sign of the distance from the midpoint of `below` and `above`. */
  readonly half: number;
  readonly belowOdd: boolean;
  /** floor(2^32 r), r being how far the magnitude lies above `below`, in gaps. */
  readonly fraction: number;
}

/** The place of a finite or infinite magnitude, by search in the format's table of values. */
export function placeInTable(magnitude: number, { values, odd }: ValueTable): Place {
  let low = 0;
  let high = values.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (values[middle]! <= magnitude) low = middle;
    else high = middle;
  }
  return placeBetween(magnitude, values[low]!, values[high] ?? Infinity, odd[low] === 1);
}

/** The place in fp32, by its bits: fround is at most one number away from the number below. */
export function placeInFloat32(magnitude: number): Place {
  if (magnitude >= 2 ** 128) return placeBetween(magnitude, 2 ** 128, Infinity, false);
  const nearest = Math.fround(magnitude);
  const bits = float32Bits(nearest) - (nearest > magnitude ? 1 : 0);
  const above = bits === 0x7f7f_ffff ? 2 ** 128 : float32FromBits(bits + 1);
  return placeBetween(magnitude, float32FromBits(bits), above, bits % 2 === 1);
}

/** The place in any built-in format. */
export function placeIn(magnitude: number, format: OracleFormat): Place {
  return format === fp32 ? placeInFloat32(magnitude) : placeInTable(magnitude, valueTable(format));
}

/** Exact in fp64: sums and differences of neighbours of at most 24 bits, and of a number and its lower neighbour. */
function placeBetween(magnitude: number, below: number, above: number, belowOdd: boolean): Place {
  if (magnitude === below || above === Infinity) {
    return { exact: true, below, above, half: -1, belowOdd, fraction: 0 };
  }
  const half = Math.sign(magnitude - (below + above) / 2);
  const fraction = Math.floor(((magnitude - below) / (above - below)) * 2 ** 32);
  return { exact: false, below, above, half, belowOdd, fraction };
}

/** An exact number: an integer of units of 2^-1074, the smallest fp64 number. */
export type Units = bigint;

/** `x` in units, exactly. Valid for finite `x`. */
export function toUnits(x: number): Units {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(x));
  const bits = view.getBigUint64(0);
  const field = bits >> 52n;
  const significand = bits & 0xf_ffff_ffff_ffffn;
  const units = field === 0n ? significand : (significand | (1n << 52n)) << (field - 1n);
  return x < 0 ? -units : units;
}

/** The place of an exact positive number, by integer division by the gap that the format has there. */
export function placeOfUnits(units: Units, format: OracleFormat): Place {
  const topBit = units.toString(2).length - 1 - 1074;
  const gapExponent = topBit >= format.normalExponent ? topBit + 1 - format.precision : format.leastExponent;
  const gap = 1n << BigInt(gapExponent + 1074);
  const count = units / gap;
  const rest = units % gap;
  const twice = 2n * rest;
  return {
    exact: rest === 0n,
    below: Number(count) * 2 ** gapExponent,
    above: Number(count + 1n) * 2 ** gapExponent,
    half: twice < gap ? -1 : twice > gap ? 1 : 0,
    belowOdd: count % 2n === 1n,
    fraction: Number((rest << 32n) / gap),
  };
}

/** What a number of the given sign at `place` rounds to. */
export function roundPlaced(
  place: Place,
  negative: boolean,
  format: OracleFormat,
  rounding: OracleRounding,
  overflow: OracleOverflow,
  randomBits = 0,
): number {
  const up = !place.exact && roundsAway(place, negative, rounding, randomBits);
  let magnitude = up ? place.above : place.below;
  if (magnitude > format.largest) magnitude = beyondLargest(negative, format, rounding, overflow);
  if (!negative || (magnitude === 0 && !format.signedZero)) return magnitude;
  return -magnitude;
}

function roundsAway(place: Place, negative: boolean, rounding: OracleRounding, randomBits: number): boolean {
  switch (rounding) {
    case "nearest-even":
      return place.half === 0 ? place.belowOdd : place.half > 0;
    case "nearest-away":
      return place.half >= 0;
    case "toward-zero":
      return false;
    case "toward-positive":
      return !negative;
    case "toward-negative":
      return negative;
    case "to-odd":
      return !place.belowOdd;
    case "stochastic":
      return place.fraction + randomBits >= 2 ** 32;
  }
}

function beyondLargest(
  negative: boolean,
  format: OracleFormat,
  rounding: OracleRounding,
  overflow: OracleOverflow,
): number {
  if (overflow === "saturate" || format.beyond === "nothing") return format.largest;
  const outward = negative ? "toward-negative" : "toward-positive";
  const overflows: readonly OracleRounding[] = ["nearest-even", "nearest-away", "stochastic", outward];
  if (!overflows.includes(rounding)) return format.largest;
  return format.beyond === "infinity" ? Infinity : NaN;
}

/** What any fp64 number rounds to in a built-in format: the contract of `round`. */
export function expectedRound(
  x: number,
  format: OracleFormat,
  rounding: OracleRounding,
  overflow: OracleOverflow = "ieee",
  randomBits = 0,
): number {
  return expectedRounds(Math.abs(x), format)(x < 0 || Object.is(x, -0), rounding, overflow, randomBits);
}

/** {@link expectedRound} of a magnitude of either sign under any rounding: it is located once. */
export function expectedRounds(magnitude: number, format: OracleFormat) {
  const place = magnitude > 0 && magnitude < Infinity ? placeIn(magnitude, format) : null;
  return (
    negative: boolean,
    rounding: OracleRounding,
    overflow: OracleOverflow = "ieee",
    randomBits = 0,
  ): number =>
    place === null
      ? expectedSpecial(negative ? -magnitude : magnitude, format, overflow)!
      : roundPlaced(place, negative, format, rounding, overflow, randomBits);
}

/** What zero, infinity and NaN round to, under every rounding. */
export function expectedSpecial(
  x: number,
  format: OracleFormat,
  overflow: OracleOverflow,
): number | undefined {
  if (Number.isNaN(x)) return NaN;
  if (x === 0) return format.signedZero ? x : 0;
  if (Number.isFinite(x)) return undefined;
  if (overflow === "saturate" || format.beyond === "nothing") return Math.sign(x) * format.largest;
  return format.beyond === "infinity" ? x : NaN;
}

/** What the exact value of `units` rounds to. */
export function expectedUnits(
  units: Units,
  format: OracleFormat,
  rounding: OracleRounding,
  overflow: OracleOverflow = "ieee",
  randomBits = 0,
): number {
  const negative = units < 0n;
  const place = placeOfUnits(negative ? -units : units, format);
  return roundPlaced(place, negative, format, rounding, overflow, randomBits);
}
