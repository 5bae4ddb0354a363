import { Written } from "../../lane/recipe.js";
import type { FunctionWriter, V128 } from "../assembler/function.js";
import { halves } from "./groups.js";
import { promoteHalf } from "./lanes.js";

/** The mask of the fp64 significand bits below fp32, and half of an fp32 ulp. */
const belowFp32 = 2 ** 29 - 1;
const half = 2 ** 28;
/** The bits of 2^-126, the smallest normal number. */
const smallestNormal = 0x0080_0000;

/**
 * a b + c, rounded once to fp32, like `fma` of format/operations.ts; valid for all numbers. The product of two fp32
 * numbers is exact in fp64; the sum is rounded to fp64 and then to fp32. This double rounding equals a single one
 * unless the fp64 sum is a midpoint of two fp32 numbers, which is very rare. In that case, and below the normal range,
 * where the midpoints differ, the sum is rounded to odd instead.
 *
 * @param written shares numbers already promoted to fp64.
 */
export function fma(
  k: FunctionWriter,
  a: V128,
  b: V128,
  c: V128,
  written: Pick<Written<V128>, "nameOf" | "once"> = new Written<V128>(),
): V128 {
  const { f32x4, f64x2, i8x16, i32x4, v128 } = k;
  const terms = halves.map((h) => {
    const [x, y, z] = [a, b, c].map((operand) =>
      written.once(`half ${h} of ${written.nameOf(operand)}`, () => promoteHalf(k, operand, h)),
    );
    return { product: f64x2.mul(x, y), z };
  });
  const sums = terms.map(({ product, z }) => f64x2.add(product, z));
  const demoted = ([low, high]: readonly V128[]) =>
    i8x16.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), firstWords);
  const result = k.variableOf(demoted(sums));

  const lowWords = i8x16.shuffle(sums[0], sums[1], evenWords);
  const middle = i32x4.eq(v128.and(lowWords, i32x4.constant(belowFp32)), i32x4.constant(half));
  const magnitude = v128.and(result, i32x4.constant(0x7fff_ffff));
  const small = i32x4.lt_u(magnitude, i32x4.constant(smallestNormal + 1));
  // Without a term c the product is exact in fp64, and so is zero.
  const exact = i32x4.eq(v128.or(magnitude, c), i32x4.constant(0));
  k.if(v128.any_true(v128.or(middle, v128.andnot(small, exact))), () => {
    k.assign(result, demoted(terms.map(({ product, z }) => addToOdd(k, product, z))));
  });
  return result;
}

const bytesOfWords = (words: readonly number[]) =>
  words.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte));
const firstWords = bytesOfWords([0, 1, 4, 5]);
const evenWords = bytesOfWords([0, 2, 4, 6]);

/**
 * a + b rounded to odd in fp64, so that a second rounding equals a single one (Boldo and Melquiond, "Emulation of FMA
 * and correctly rounded sums", 2008).
 */
function addToOdd(k: FunctionWriter, a: V128, b: V128): V128 {
  const { f64x2, i64x2, v128 } = k;
  const sum = f64x2.add(a, b);
  // Knuth's TwoSum, as in sumTail of format/float64.ts.
  const bRounded = f64x2.sub(sum, a);
  const tail = f64x2.add(f64x2.sub(a, f64x2.sub(sum, bRounded)), f64x2.sub(b, bRounded));
  // If the last bit is even and the tail nonzero, take the odd neighbour toward the tail. If the sum is NaN or Inf, the
  // tail is NaN and the comparison false.
  const inexact = f64x2.gt(f64x2.abs(tail), f64x2.constant(0));
  const even = i64x2.eq(v128.and(sum, i64x2.constant(1n)), i64x2.constant(0n));
  const step = v128.or(i64x2.shr_s(v128.xor(sum, tail), 63), i64x2.constant(1n));
  return i64x2.add(sum, v128.and(v128.and(inexact, even), step));
}
