/** Exact fp64 building blocks for `format/`: JavaScript numbers are fp64. */

const float64 = new Float64Array(1);
const words = new Uint32Array(float64.buffer);
float64[0] = 1;
/** Index of the 32-bit word with sign and exponent. */
const high = words[1] === 0x3ff00000 ? 1 : 0;

/** floor(log2 |x|), exact. Valid for finite x other than zero, subnormal fp64 included. */
export function exponentOf(x: number): number {
  float64[0] = x;
  const field = (words[high] >>> 20) & 0x7ff;
  if (field !== 0) return field - 1023;
  float64[0] = x * 2 ** 54;
  return ((words[high] >>> 20) & 0x7ff) - 1023 - 54;
}

/** 2^-1022 to 2^1023, by doubling. */
const powers = new Float64Array(2046);
powers[0] = 2 ** -1022;
for (let i = 1; i < powers.length; i++) powers[i] = 2 * powers[i - 1];

/** 2^exponent, exact. Valid for integers from -1022 to 1023. */
export function powerOfTwo(exponent: number): number {
  return powers[exponent + 1022];
}

/**
 * The rounding error of a fp64 sum: `a + b` = `sum + tail` exactly, when `sum` is the fp64 sum and finite.
 * Knuth's TwoSum (The Art of Computer Programming 2, 4.2.2, theorem B).
 */
export function sumTail(a: number, b: number, sum: number): number {
  const bRounded = sum - a;
  return a - (sum - bRounded) + (b - bRounded);
}

/**
 * The rounding error of a fp64 product: a b = product + tail. Veltkamp's splitting and Dekker's product (1971).
 * Valid where nothing overflows or underflows, as with fp32 numbers, their quotients and roots.
 */
export function productTail(a: number, b: number, product: number): number {
  const aHigh = highHalf(a);
  const bHigh = highHalf(b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

function highHalf(x: number): number {
  const scaled = x * (2 ** 27 + 1);
  return scaled - (scaled - x);
}
