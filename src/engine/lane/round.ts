import type { Format } from "../../format/format.js";
import { gapAt, type Overflow, type Rounding } from "../../format/round.js";
import type { Lane } from "./lane.js";
import { bitsOf, infinityBits, magnitude as magnitudeOf, nanBits, signBit } from "./numbers.js";

/** The rounding of format/round.ts on lanes of fp32 numbers. */
export interface LaneRounding {
  readonly format: Format;
  readonly rounding: Rounding;
  readonly overflow: Overflow;
}

/** The significand bits of fp32. */
const fp32Precision = 24;
const fp32MinExponent = -126;

/**
 * Rounds lanes of fp32 numbers to numbers of the format.
 *
 * @param random returns 32 random bits per lane; called for stochastic rounding only.
 */
export function round<V>(k: Lane<V>, x: V, to: LaneRounding, random: () => V): V {
  const { format, rounding, overflow } = to;
  const { v128, f32x4, i32x4 } = k;
  const bits = to.rounding === "stochastic" ? random() : i32x4.constant(0);
  const saturates = overflow === "saturate" || !format.hasNaN;
  const gapsOfFp32 = format.minExponent === fp32MinExponent && format.subnormals;
  if (format.precision === fp32Precision && gapsOfFp32 && !saturates) return x;

  // The mask of NaN lanes is all ones, which is a NaN itself; so a carry out of the bits of a NaN does no harm.
  const keepNaN = (result: V) => v128.or(result, f32x4.ne(x, x));
  if (gapsOfFp32 && !isLimited(to) && !format.unsignedZero) {
    // Rounding never reaches the sign bit.
    return keepNaN(roundNormal(k, x, x, format, rounding, bits));
  }
  const sign = v128.and(x, i32x4.constant(signBit));
  const given = magnitudeOf(k, x);
  let rounded = roundNormal(k, given, x, format, rounding, bits);
  if (!gapsOfFp32) {
    const below = i32x4.lt_s(given, i32x4.constant(bitsOf(format.minNormal)));
    rounded = v128.select(below, roundBelowNormal(k, given, x, format, rounding, bits), rounded);
  }
  const limited = isLimited(to) ? limit(k, rounded, given, x, to) : rounded;
  const settled = keepNaN(v128.or(limited, sign));
  // Adding +0 turns -0 into +0 and changes nothing else.
  return format.unsignedZero ? f32x4.add(settled, f32x4.constant(0)) : settled;
}

/** Whether numbers beyond the largest finite one need treatment, because fp32 carries do not lead to Inf there. */
function isLimited({ format, rounding, overflow }: LaneRounding): boolean {
  const outward = rounding === "nearest-even" || rounding === "nearest-away" || rounding === "stochastic";
  return !(outward && overflow === "ieee" && format.hasInfinity && format.maxExponent === 127);
}

/**
 * Rounds magnitudes whose gap is 2^(24 - precision) fp32 ulps: normal numbers of the format, and subnormal ones if its
 * subnormal range is that of fp32. A carry into the exponent field gives the right result.
 */
function roundNormal<V>(k: Lane<V>, given: V, x: V, format: Format, rounding: Rounding, random: V): V {
  const { v128, i32x4 } = k;
  const drop = fp32Precision - format.precision;
  if (drop === 0) return given;
  const gap = i32x4.constant(2 ** drop);
  const restBits = i32x4.constant(2 ** drop - 1);
  const truncate = (m: V) => v128.andnot(m, restBits);
  switch (rounding) {
    case "nearest-even": {
      const parity = v128.and(i32x4.shr_u(given, drop), i32x4.constant(1));
      return truncate(i32x4.add(i32x4.add(given, i32x4.constant(2 ** (drop - 1) - 1)), parity));
    }
    case "nearest-away":
      return truncate(i32x4.add(given, i32x4.constant(2 ** (drop - 1))));
    case "toward-zero":
      return truncate(given);
    case "toward-positive":
      return truncate(i32x4.add(given, v128.andnot(restBits, i32x4.shr_s(x, 31))));
    case "toward-negative":
      return truncate(i32x4.add(given, v128.and(restBits, i32x4.shr_s(x, 31))));
    case "to-odd": {
      const inexact = i32x4.gt_s(v128.and(given, restBits), i32x4.constant(0));
      return v128.or(truncate(given), v128.and(inexact, gap));
    }
    case "stochastic": {
      // Round up if the sum of the fraction of the gap and the random bits, 32 bits each, carries out.
      const fraction = i32x4.shl(given, 32 - drop);
      const carry = i32x4.lt_u(i32x4.add(fraction, random), random);
      return i32x4.add(truncate(given), v128.and(carry, gap));
    }
  }
}

/** Rounds magnitudes below the smallest normal number of the format, where all gaps are equal. */
function roundBelowNormal<V>(k: Lane<V>, given: V, x: V, format: Format, rounding: Rounding, random: V): V {
  const { f32x4, v128 } = k;
  const gap = gapAt(format.minExponent - 1, format);
  if (k.roundToMultiple) return k.roundToMultiple(given, x, Math.log2(gap), rounding, random);
  // Exact: at most 24 bits times a power of two >= 1.
  const scaled = multiplyByPowers(k, given, 1 / gap);
  // Exact again: the result is a number of the format, or the given fp32 number itself.
  const unscale = (m: V) => multiplyByPowers(k, m, gap);
  if (rounding === "nearest-even") return unscale(f32x4.nearest(scaled));
  const below = f32x4.floor(scaled);
  if (rounding === "toward-zero") return unscale(below);
  const up = goesUp(k, below, f32x4.sub(scaled, below), x, rounding, random);
  return unscale(f32x4.add(below, v128.and(up, f32x4.constant(1))));
}

/** Whether a magnitude of `below` + rest gaps, 0 <= rest < 1, rounds to below + 1. Valid for below < 2^23. */
function goesUp<V>(
  k: Lane<V>,
  below: V,
  rest: V,
  x: V,
  rounding: Exclude<Rounding, "nearest-even" | "toward-zero">,
  random: V,
): V {
  const { f32x4, i32x4, v128 } = k;
  const inexact = () => f32x4.gt(rest, f32x4.constant(0));
  switch (rounding) {
    case "nearest-away":
      return f32x4.ge(rest, f32x4.constant(0.5));
    case "toward-positive":
      return v128.andnot(inexact(), i32x4.shr_s(x, 31));
    case "toward-negative":
      return v128.and(inexact(), i32x4.shr_s(x, 31));
    case "to-odd": {
      // In [2^23, 2^24) the last bit of an fp32 number has the value 1.
      const odd = v128.and(f32x4.add(below, f32x4.constant(2 ** 23)), i32x4.constant(1));
      return v128.and(inexact(), i32x4.eq(odd, i32x4.constant(0)));
    }
    case "stochastic": {
      const fraction = i32x4.trunc_sat_f32x4_u(f32x4.mul(rest, f32x4.constant(2 ** 32)));
      return i32x4.lt_u(i32x4.add(fraction, random), random);
    }
  }
}

/** Handles magnitudes beyond the largest finite one. The result for NaN is unspecified. */
function limit<V>(k: Lane<V>, rounded: V, given: V, x: V, { format, rounding, overflow }: LaneRounding): V {
  const { i32x4, v128 } = k;
  const maxFinite = i32x4.constant(bitsOf(format.maxFinite));
  if (overflow === "saturate" || !format.hasNaN) return i32x4.min_s(rounded, maxFinite);
  const inward = inwardLanes(k, x, rounding);
  const outside = i32x4.gt_s(rounded, maxFinite);
  const outward = i32x4.constant(format.hasInfinity ? infinityBits : nanBits);
  if (inward === null) return v128.select(outside, outward, rounded);
  const finite = i32x4.lt_s(given, i32x4.constant(infinityBits));
  return v128.select(outside, v128.select(v128.and(inward, finite), maxFinite, outward), rounded);
}

/** The mask of lanes that overflow to the largest finite number; null if none does. */
function inwardLanes<V>(k: Lane<V>, x: V, rounding: Rounding): V | null {
  const negative = () => k.i32x4.shr_s(x, 31);
  if (rounding === "toward-zero" || rounding === "to-odd") return k.i32x4.constant(-1);
  if (rounding === "toward-positive") return negative();
  if (rounding === "toward-negative") return k.v128.not(negative());
  return null;
}

/** Multiplies by a power of two that may be outside the range of fp32, in factors that are inside. */
function multiplyByPowers<V>(k: Lane<V>, x: V, power: number): V {
  const exponent = Math.log2(power);
  const first = Math.min(Math.max(exponent, -126), 127);
  const product = k.f32x4.mul(x, k.f32x4.constant(2 ** first));
  return first === exponent ? product : k.f32x4.mul(product, k.f32x4.constant(2 ** (exponent - first)));
}
