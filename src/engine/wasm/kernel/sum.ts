import type { F64, FunctionWriter, I32, V128 } from "../assembler/function.js";

/**
 * Exact sums of fp64 numbers, like ExactSum of lens/sum.ts but with fixed positions: 32-bit digits in 64-bit integers,
 * the lowest with the unit 2^-350. Valid for sums of products of fp32 numbers: multiples of 2^-298 below 2^290, of
 * which 2^31 may be added before a digit overflows.
 */
export const lowestExponent = -350;
const digitBits = 32;
const fp64Bias = 1023;
const fp64StoredBits = 52;

export const addExactly = "addExactly";

/** The body of `addExactly(sum: i32, x: f64)`: adds x to the digits at an address. */
export function writeAddExactly(k: FunctionWriter): void {
  const { i32, i64 } = k;
  const sum = k.parameter(0, "i32");
  const bits = i64.reinterpret(k.parameter(1, "f64"));
  const field = i32.and(i32.wrap(i64.shr_u(bits, fp64StoredBits)), 0x7ff);
  // Zero is the only subnormal.
  k.if(field, () => {
    const significand = i64.or(i64.and(bits, 2 ** fp64StoredBits - 1), 2 ** fp64StoredBits);
    const place = i32.sub(field, fp64Bias + fp64StoredBits + lowestExponent);
    const shift = i64.extend(i32.and(place, digitBits - 1));
    const first = i32.add(sum, i32.shl(i32.shr_u(place, 5), 3));
    const above = i64.shr_u(significand, i64.sub(i64.extend(i32.constant(digitBits)), shift));
    const digits = [
      i64.and(i64.shl(significand, shift), 2 ** digitBits - 1),
      i64.and(above, 2 ** digitBits - 1),
      i64.shr_u(above, digitBits),
    ];
    const sign = i64.shr_s(bits, 63);
    for (const [i, digit] of digits.entries()) {
      // -x = ~x + 1.
      const signedDigit = i64.sub(i64.xor(digit, sign), sign);
      k.store("i64", i64.add(k.load("i64", first, 8 * i), signedDigit), first, 8 * i);
    }
  });
}

/** Adds a b to two lanes of a sum. */
export function addProduct(k: FunctionWriter, lanes: V128, a: V128, b: V128): void {
  k.assign(lanes, k.f64x2.add(lanes, k.f64x2.mul(a, b)));
}

/** The sum of one block from its eight lanes, two a vector, as sumOfLanes of lens/sum.ts. */
export function sumOfLanes(k: FunctionWriter, lanes: readonly V128[]): F64 {
  const [a, b, c, d] = lanes.map((pair) => k.f64.add(k.f64x2.lane(pair, 0), k.f64x2.lane(pair, 1)));
  return k.f64.add(k.f64.add(a, b), k.f64.add(c, d));
}

/** Adds a 32-bit number to a 64-bit count. */
export function addCount(k: FunctionWriter, count: I32, address: I32, offset: number): void {
  k.store("i64", k.i64.add(k.load("i64", address, offset), k.i64.extend(count)), address, offset);
}

/** The sum over the lanes of a vector of counts. */
export function countOf(k: FunctionWriter, counts: V128, scratch: I32, offset: number): I32 {
  k.store("v128", counts, scratch, offset);
  const [a, b, c, d] = [0, 4, 8, 12].map((lane) => k.load("i32", scratch, offset + lane));
  return k.i32.add(k.i32.add(a, b), k.i32.add(c, d));
}
