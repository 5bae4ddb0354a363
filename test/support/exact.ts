import { float32Bits } from "./bits.js";
import { bitLength, squareRootFloor } from "./integers.js";
import {
  expectedSpecial,
  type OracleOverflow,
  type OracleRounding,
  type Place,
  placeIn,
  roundPlaced,
} from "./oracle.js";
import { fp32, type OracleFormat } from "./oracle-formats.js";

/**
 * The operations on fp32 numbers in integer arithmetic, by the text of IEEE 754-2019 (6.1 to 6.3 for infinities, NaN
 * and the sign of zero). An exact result is located among the numbers of a format once, and all roundings are read
 * off that place.
 */

/**
 * A result that is neither zero, infinite nor NaN: its magnitude is (significand + t) 2^exponent with t = 0, or with
 * 0 < t < 1 where `inexact`. An inexact significand has at least 90 bits, more than any place needs.
 */
export interface Exact {
  readonly negative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
  readonly inexact: boolean;
}

/** The other results as numbers, but for a zero from terms of unlike signs: its sign depends on the rounding. */
export type ExactResult = Exact | number | "cancelled";

export function exactSum(a: number, b: number): ExactResult {
  if (Number.isNaN(a) || Number.isNaN(b)) return NaN;
  if (isInfinite(a)) return isInfinite(b) && a !== b ? NaN : a;
  if (isInfinite(b)) return b;
  if (a === 0 && b === 0) return Object.is(a, b) ? a : "cancelled";
  return sumOfTerms(termOf(a), termOf(b));
}

export function exactProduct(a: number, b: number): ExactResult {
  const sign = isNegative(a) === isNegative(b) ? 1 : -1;
  if (Number.isNaN(a) || Number.isNaN(b)) return NaN;
  if (isInfinite(a) || isInfinite(b)) return a === 0 || b === 0 ? NaN : sign * Infinity;
  if (a === 0 || b === 0) return sign * 0;
  return sumOfTerms(productTerm(a, b), { integer: 0n, exponent: 0 });
}

export function exactQuotient(a: number, b: number): ExactResult {
  const sign = isNegative(a) === isNegative(b) ? 1 : -1;
  if (Number.isNaN(a) || Number.isNaN(b)) return NaN;
  if (isInfinite(a)) return isInfinite(b) ? NaN : sign * Infinity;
  if (isInfinite(b)) return sign * 0;
  if (b === 0) return a === 0 ? NaN : sign * Infinity;
  if (a === 0) return sign * 0;
  const numerator = termOf(Math.abs(a));
  const denominator = termOf(Math.abs(b));
  // At least 1 * 2^120 over less than 2^24.
  const dividend = numerator.integer << 120n;
  const significand = dividend / denominator.integer;
  return {
    negative: sign < 0,
    significand,
    exponent: numerator.exponent - denominator.exponent - 120,
    inexact: significand * denominator.integer !== dividend,
  };
}

export function exactRoot(a: number): ExactResult {
  if (a === 0) return a;
  if (Number.isNaN(a) || a < 0) return NaN;
  if (isInfinite(a)) return a;
  const { integer, exponent } = termOf(a);
  // The root of at least 2^180, over an even power of two.
  const shift = exponent % 2 === 0 ? 180 : 181;
  const square = integer << BigInt(shift);
  const significand = squareRootFloor(square);
  return {
    negative: false,
    significand,
    exponent: (exponent - shift) / 2,
    inexact: significand * significand !== square,
  };
}

/** a b + c. */
export function exactProductSum(a: number, b: number, c: number): ExactResult {
  const product = exactProduct(a, b);
  if (typeof product === "number") {
    // Zero, infinite or NaN: such a product adds as any number does.
    return exactSum(product, c);
  }
  if (!Number.isFinite(c)) return c;
  return sumOfTerms(productTerm(a, b), termOf(c));
}

/** What a result comes to in a format, before its rounding is chosen. */
export type Located =
  | { readonly value: number }
  | { readonly cancelled: true }
  | { readonly negative: boolean; readonly place: Place };

/** The place of an exact result, as `exact` opmath sees it. */
export function locate(result: ExactResult, format: OracleFormat): Located {
  if (typeof result === "number") return { value: result };
  if (result === "cancelled") return { cancelled: true };
  return { negative: result.negative, place: placeOfExact(result, format) };
}

/** The place of the result rounded to fp32 by nearest-even, as `fp32` opmath sees it. */
export function locateThroughFloat32(result: ExactResult, format: OracleFormat): Located {
  const rounded = roundLocated(locate(result, fp32), fp32, "nearest-even", "ieee");
  if (rounded === 0 || !Number.isFinite(rounded)) return { value: rounded };
  return { negative: rounded < 0, place: placeIn(Math.abs(rounded), format) };
}

/** What a located result rounds to. */
export function roundLocated(
  located: Located,
  format: OracleFormat,
  rounding: OracleRounding,
  overflow: OracleOverflow,
  randomBits = 0,
): number {
  if ("place" in located) {
    return roundPlaced(located.place, located.negative, format, rounding, overflow, randomBits);
  }
  // 6.3: +0 under all rounding attributes except roundTowardNegative.
  const value = "value" in located ? located.value : rounding === "toward-negative" ? -0 : 0;
  return expectedSpecial(value, format, overflow)!;
}

/** integer 2^exponent. */
interface Term {
  readonly integer: bigint;
  readonly exponent: number;
}

/** Valid for finite fp32 numbers. */
function termOf(x: number): Term {
  const bits = float32Bits(x);
  const field = (bits >>> 23) & 0xff;
  const stored = bits & 0x7f_ffff;
  const significand = BigInt(field === 0 ? stored : stored + 0x80_0000);
  return { integer: bits >>> 31 === 1 ? -significand : significand, exponent: Math.max(field, 1) - 150 };
}

function productTerm(a: number, b: number): Term {
  const left = termOf(a);
  const right = termOf(b);
  return { integer: left.integer * right.integer, exponent: left.exponent + right.exponent };
}

function sumOfTerms(left: Term, right: Term): ExactResult {
  const exponent = Math.min(left.exponent, right.exponent);
  const sum =
    (left.integer << BigInt(left.exponent - exponent)) + (right.integer << BigInt(right.exponent - exponent));
  if (sum === 0n) return "cancelled";
  const negative = sum < 0n;
  return { negative, significand: negative ? -sum : sum, exponent, inexact: false };
}

function placeOfExact({ significand, exponent, inexact }: Exact, format: OracleFormat): Place {
  const topExponent = bitLength(significand) - 1 + exponent;
  const gapExponent =
    topExponent >= format.normalExponent ? topExponent + 1 - format.precision : format.leastExponent;
  const shift = gapExponent - exponent;
  if (shift <= 0) {
    const value = Number(significand) * 2 ** exponent;
    return { exact: true, below: value, above: value, half: -1, belowOdd: false, fraction: 0 };
  }
  const count = significand >> BigInt(shift);
  const rest = significand - (count << BigInt(shift));
  const midpoint = 1n << BigInt(shift - 1);
  const gap = 2 ** gapExponent;
  return {
    exact: rest === 0n && !inexact,
    below: Number(count) * gap,
    above: Number(count + 1n) * gap,
    half: rest > midpoint ? 1 : rest < midpoint ? -1 : Number(inexact),
    belowOdd: count % 2n === 1n,
    fraction: Number((rest << 32n) >> BigInt(shift)),
  };
}

function isInfinite(x: number): boolean {
  return x === Infinity || x === -Infinity;
}

function isNegative(x: number): boolean {
  return x < 0 || Object.is(x, -0);
}
