import type { FunctionWriter, V128 } from "../assembler/function.js";
import { halves } from "./groups.js";
import { promoteHalf } from "./lanes.js";

/**
 * a b + c, rounded once to fp32, as `fma` of format/operations.ts, of all numbers. The product of two fp32
 * numbers is a fp64 number; the sum is rounded to odd in fp64, after which a second rounding is as good as one (Boldo
 * and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
 */
export function fma(k: FunctionWriter, a: V128, b: V128, c: V128): V128 {
  const [low, high] = halves.map((half) => {
    const [x, y, z] = [a, b, c].map((of) => promoteHalf(k, of, half));
    return k.f32x4.demote_f64x2_zero(addToOdd(k, k.f64x2.mul(x, y), z));
  });
  return k.i8x16.shuffle(low, high, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
}

/** a + b rounded to odd in fp64. */
function addToOdd(k: FunctionWriter, a: V128, b: V128): V128 {
  const { f64x2, i64x2, v128 } = k;
  const sum = f64x2.add(a, b);
  // Knuth's TwoSum, as sumTail of format/float64.ts.
  const bRounded = f64x2.sub(sum, a);
  const tail = f64x2.add(f64x2.sub(a, f64x2.sub(sum, bRounded)), f64x2.sub(b, bRounded));
  // Where the last bit is even and there is a tail, the odd neighbour on the side of the tail.
  // Of a sum that is NaN or Inf the tail is NaN, which is not above zero.
  const inexact = f64x2.gt(f64x2.abs(tail), f64x2.constant(0));
  const even = i64x2.eq(v128.and(sum, i64x2.constant(1n)), i64x2.constant(0n));
  const step = v128.or(i64x2.shr_s(v128.xor(sum, tail), 63), i64x2.constant(1n));
  return i64x2.add(sum, v128.and(v128.and(inexact, even), step));
}
