import type { UpdateSettings } from "../../update/settings.js";
import type { Lane } from "./lane.js";
import { infinityBits, magnitude as magnitudeOf, signBit } from "./numbers.js";
import { round } from "./round.js";

/** The operations of update/arithmetic.ts on lanes. */
export interface LaneArithmetic<V> {
  /** a + b in fp32. */
  fp32Add(a: V, b: V): V;
  store(x: V): V;
  add(a: V, b: V): V;
  subtract(a: V, b: V): V;
}

/** @param random returns 32 random bits per lane for each rounding in turn. */
export function storageArithmetic<V>(k: Lane<V>, to: UpdateSettings, random: () => V): LaneArithmetic<V> {
  const { f32x4 } = k;
  const store = (x: V) => round(k, x, to, random);
  const add = (a: V, b: V) =>
    store(to.opmath === "fp32" ? f32x4.add(a, b) : signedZero(k, addToOdd(k, a, b), a, b, to));
  return {
    fp32Add: f32x4.add,
    store,
    add,
    subtract: (a, b) => (to.opmath === "fp32" ? store(f32x4.sub(a, b)) : add(a, f32x4.neg(b))),
  };
}

/**
 * a + b rounded to odd in fp32: rounding it to a format of at most 22 significand bits, under any
 * deterministic rounding, equals rounding the exact sum (Boldo and Melquiond, "Emulation of FMA and correctly
 * rounded sums", 2008, theorem 3).
 */
function addToOdd<V>(k: Lane<V>, a: V, b: V): V {
  const { f32x4, i32x4, v128 } = k;
  const sum = f32x4.add(a, b);
  // Knuth's TwoSum, as in sumTail of format/float64.ts.
  const bRounded = f32x4.sub(sum, a);
  const tail = f32x4.add(f32x4.sub(a, f32x4.sub(sum, bRounded)), f32x4.sub(b, bRounded));
  // If the last bit is even and the tail nonzero, take the odd neighbour toward the tail.
  const inexact = f32x4.ne(tail, f32x4.constant(0));
  const even = i32x4.eq(v128.and(sum, i32x4.constant(1)), i32x4.constant(0));
  const toZero = i32x4.shr_s(v128.xor(sum, tail), 31);
  const step = v128.or(toZero, i32x4.constant(1));
  const odd = i32x4.add(sum, v128.and(v128.and(inexact, even), step));
  // If a sum of finite numbers overflows, its tail is NaN: round it to the largest number, which is odd.
  const finite = i32x4.lt_s(i32x4.max_s(magnitudeOf(k, a), magnitudeOf(k, b)), i32x4.constant(infinityBits));
  const isInfinite = i32x4.eq(magnitudeOf(k, sum), i32x4.constant(infinityBits));
  const nonfinite = i32x4.gt_s(magnitudeOf(k, sum), i32x4.constant(infinityBits - 1));
  const overflowed = i32x4.sub(sum, i32x4.constant(1));
  return v128.select(nonfinite, v128.select(v128.and(finite, isInfinite), overflowed, sum), odd);
}

/** IEEE 754-2019, 6.3, as in signedZero of format/operations.ts. */
function signedZero<V>(k: Lane<V>, sum: V, a: V, b: V, { rounding }: UpdateSettings): V {
  if (rounding !== "toward-negative") return sum;
  const { f32x4, i32x4, v128 } = k;
  const notBothPlus = v128.not(i32x4.eq(v128.or(a, b), i32x4.constant(0)));
  const zero = f32x4.eq(sum, f32x4.constant(0));
  return v128.or(sum, v128.and(v128.and(zero, notBothPlus), i32x4.constant(signBit)));
}
