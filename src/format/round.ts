import { exponentOf, powerOfTwo } from "./float64.js";
import type { Format } from "./format.js";
import { formatOf } from "./registry.js";
import { unknownName } from "./unknown-name.js";

/** How a number between two neighbours of a format is rounded to one of them. */
export const roundings = [
  "nearest-even",
  "nearest-away",
  "toward-zero",
  "toward-positive",
  "toward-negative",
  "to-odd",
  "stochastic",
] as const;
export type Rounding = (typeof roundings)[number];

/**
 * Short names of the roundings, from IEEE 754 texts, MPFR, RISC-V and SMT-LIB; upper case is accepted too.
 */
const shortNames = {
  rne: "nearest-even",
  rna: "nearest-away",
  rz: "toward-zero",
  rtz: "toward-zero",
  ru: "toward-positive",
  rup: "toward-positive",
  rd: "toward-negative",
  rdn: "toward-negative",
  sr: "stochastic",
} as const satisfies Readonly<Record<string, Rounding>>;
export type ShortRounding = keyof typeof shortNames | Uppercase<keyof typeof shortNames>;

const roundingsByName: ReadonlyMap<string, Rounding> = new Map([
  ...roundings.map((name): [string, Rounding] => [name, name]),
  ...Object.entries(shortNames).flatMap(([short, name]): [string, Rounding][] => [
    [short, name],
    [short.toUpperCase(), name],
  ]),
]);

/**
 * Looks up a rounding: one of the seven, or a short name: `rne rna rz rtz ru rup rd rdn sr`.
 *
 * @param name short names in lower or upper case.
 * @returns the full name, as in results.
 * @throws RangeError for an unknown name, suggesting the nearest known one.
 * @example rounding("sr"); // "stochastic"
 */
export function rounding(name: string): Rounding {
  const known = roundingsByName.get(name);
  if (known !== undefined) return known;
  throw unknownName("rounding", name, roundingsByName.keys(), {
    expected: roundings.join(", "),
    inFull: (near) => roundingsByName.get(near) ?? near,
  });
}

/** The result for numbers beyond the largest finite one. */
export const overflows = ["ieee", "saturate"] as const;
export type Overflow = (typeof overflows)[number];

export interface RoundOptions {
  /** Default `nearest-even`. */
  readonly rounding?: Rounding | ShortRounding;
  /**
   * Default `ieee`: Inf, or NaN if the format has no Inf; the largest finite number under toward-zero, to-odd
   * and the directed rounding that points inward. `saturate`: the largest finite number, for infinite x too
   * (OCP OFP8 1.0, saturating mode). Formats with neither Inf nor NaN always saturate.
   */
  readonly overflow?: Overflow;
  /** 32 random bits as an unsigned integer; required by, and only used for, `stochastic`. */
  readonly randomBits?: number;
}

/**
 * Rounds `x` to a number of a format, correctly for every fp64 `x`.
 *
 * `stochastic` goes away from zero with probability floor(2^32 r) / 2^32, where r in [0, 1) is the distance
 * of |x| from the neighbour nearer to zero, in gaps. NaN gives NaN in every format. In unsigned formats,
 * which have no zero, numbers below the smallest round to it, and negative numbers give NaN.
 *
 * @param x any number.
 * @param format a format or its name.
 * @param options rounding, overflow, random bits.
 * @returns a number of the format, Inf or NaN.
 * @throws TypeError if `stochastic` is not given `randomBits`; RangeError for an unknown format, rounding or
 * overflow, and for random bits that are not an unsigned 32-bit integer.
 * @example round(1 + 2 ** -8 + 2 ** -40, "bf16"); // 1.0078125
 * @example round(65520, "fp16", { overflow: "saturate" }); // 65504
 */
export function round(x: number, format: Format | string, options?: RoundOptions): number {
  return roundBy(x, formatOf(format), options);
}

/** {@link round} to a resolved format. */
export function roundBy(x: number, format: Format, options?: RoundOptions): number {
  if (options === undefined) return roundSum(x, 0, format, "nearest-even", "ieee", 0);
  const { by, overflow, bits } = checkedOptions(options);
  return roundSum(x, 0, format, by, overflow, bits);
}

/** Resolves the options of one rounding and fills in defaults. @throws as {@link round}. */
export function checkedOptions({
  rounding: name = "nearest-even",
  overflow = "ieee",
  randomBits,
}: RoundOptions): {
  readonly by: Rounding;
  readonly overflow: Overflow;
  readonly bits: number;
} {
  const by = rounding(name);
  if (!overflows.includes(overflow)) throw unknownName("overflow", String(overflow), overflows);
  if (randomBits === undefined) {
    if (by !== "stochastic") return { by, overflow, bits: 0 };
    throw new TypeError("stochastic rounding needs randomBits, 32 random bits as an unsigned integer");
  }
  if (randomBits >>> 0 !== randomBits) {
    throw new RangeError(`randomBits: expected an unsigned integer of 32 bits, found ${randomBits}`);
  }
  return { by, overflow, bits: randomBits };
}

/**
 * Rounds the exact value of `x + tail` once. Valid for |tail| <= half a fp64 ulp of `x`, as from {@link
 * sumTail}; `tail` is 0 if `x` is not finite.
 */
export function roundSum(
  x: number,
  tail: number,
  format: Format,
  rounding: Rounding,
  overflow: Overflow,
  randomBits: number,
): number {
  if (!format.signed && x <= format.minPositive) return x < 0 ? NaN : format.minPositive;
  if (x === 0) return format.unsignedZero ? 0 : x;
  if (Number.isNaN(x)) return x;
  const negative = x < 0;
  let magnitude = Math.abs(x);
  if (magnitude !== Infinity) {
    magnitude = roundMagnitude(magnitude, negative ? -tail : tail, negative, format, rounding, randomBits);
    if (magnitude > format.maxFinite) magnitude = overflowed(negative, format, rounding, overflow);
  } else if (overflow === "saturate" || !format.hasNaN) {
    magnitude = format.maxFinite;
  } else if (!format.hasInfinity) {
    return NaN;
  }
  if (!negative) return magnitude;
  return magnitude === 0 && format.unsignedZero ? 0 : -magnitude;
}

/** Rounds a positive value as if the format had no largest number. */
function roundMagnitude(
  magnitude: number,
  tail: number,
  negative: boolean,
  format: Format,
  rounding: Rounding,
  randomBits: number,
): number {
  let exponent = exponentOf(magnitude);
  // Just below a power of two the gap is that of the binade below.
  if (tail < 0 && magnitude === powerOfTwoOrZero(exponent)) exponent -= 1;
  const gap = gapAt(exponent, format);
  // Exact: division by a power of two, and gap >= 2^-149 or the gap of magnitude's own binade, so that neither
  // quotient leaves the fp64 range.
  const scaled = magnitude / gap;
  let below = Math.floor(scaled);
  let rest = scaled - below;
  // A tail that underflows in units of gaps still counts by its sign.
  const restTail = tail === 0 ? 0 : tail / gap || Math.sign(tail) * Number.MIN_VALUE;
  if (rest === 0) {
    if (restTail === 0) return magnitude;
    if (restTail < 0) {
      below -= 1;
      rest = 1;
    }
  }
  return (goesUp(below, rest, restTail, negative, rounding, randomBits) ? below + 1 : below) * gap;
}

/**
 * Whether a magnitude at `below` + rest + restTail gaps, strictly between below and below + 1, rounds to
 * below + 1. The parity of `below` is that of its code.
 */
function goesUp(
  below: number,
  rest: number,
  restTail: number,
  negative: boolean,
  rounding: Rounding,
  randomBits: number,
): boolean {
  switch (rounding) {
    case "nearest-even": {
      const pastHalf = rest - 0.5 + restTail;
      return pastHalf > 0 || (pastHalf === 0 && below % 2 === 1);
    }
    case "nearest-away":
      return rest - 0.5 + restTail >= 0;
    case "toward-zero":
      return false;
    case "toward-positive":
      return !negative;
    case "toward-negative":
      return negative;
    case "to-odd":
      return below % 2 === 0;
    case "stochastic": {
      const leading = Math.floor(rest * 2 ** 32);
      const trailing = rest * 2 ** 32 - leading + restTail * 2 ** 32;
      return leading + Math.floor(trailing) + randomBits >= 2 ** 32;
    }
  }
}

function overflowed(negative: boolean, format: Format, rounding: Rounding, overflow: Overflow): number {
  const inward =
    rounding === "toward-zero" ||
    rounding === "to-odd" ||
    rounding === (negative ? "toward-positive" : "toward-negative");
  if (inward || overflow === "saturate" || !format.hasNaN) return format.maxFinite;
  return format.hasInfinity ? Infinity : NaN;
}

/**
 * The gap between neighbours in the binade of 2^exponent; below the normal numbers the subnormal gap, or the
 * smallest normal number without subnormals.
 */
export function gapAt(exponent: number, format: Format): number {
  if (exponent >= format.minExponent) return powerOfTwo(exponent + 1 - format.precision);
  return format.minPositive;
}

/** 2^exponent, or 0 if that is a subnormal fp64 (far below every format's smallest number). */
function powerOfTwoOrZero(exponent: number): number {
  return exponent >= -1022 ? powerOfTwo(exponent) : 0;
}
