/**
 * The sum of two 16-bit floating-point codes by nearest-even, in 32-bit integers: align with a sticky digit, add,
 * normalize, round. The second derivation that the checks of `add` compare with; nothing is read from `src/`.
 */

const SIGN = 0x8000;
/** Digits kept below the last one of the result. A sticky digit needs two of them; more do no harm. */
const GUARD = 16;
const GUARD_MASK = (1 << GUARD) - 1;
const HALF = 1 << (GUARD - 1);

/** Stored significand digits of an IEEE-like 16-bit format. */
export const storedDigits = { bf16: 7, fp16: 10 } as const;

/** The code of a + b. NaN has one code, the quiet one without payload. Valid for 16-bit codes. */
export function addCodes(a: number, b: number, stored: number): number {
  const infinity = 0x7fff & (-1 << stored);
  const nan = infinity | (1 << (stored - 1));
  let large = a;
  let small = b;
  if ((a & 0x7fff) < (b & 0x7fff)) {
    large = b;
    small = a;
  }
  const largeMagnitude = large & 0x7fff;
  const smallMagnitude = small & 0x7fff;
  const alike = ((large ^ small) & SIGN) === 0;
  if (largeMagnitude > infinity) return nan;
  if (largeMagnitude === infinity) return smallMagnitude === infinity && !alike ? nan : large;
  if (smallMagnitude === 0) return largeMagnitude === 0 ? large & small : large;

  const hidden = 1 << stored;
  const digitsMask = hidden - 1;
  const largeField = largeMagnitude >>> stored;
  const smallField = smallMagnitude >>> stored;
  // Subnormal numbers have the exponent of the first binade and no hidden digit.
  let exponent = largeField || 1;
  const distance = exponent - (smallField || 1);
  const first = ((largeMagnitude & digitsMask) | (largeField && hidden)) << GUARD;
  let second = ((smallMagnitude & digitsMask) | (smallField && hidden)) << GUARD;
  if (distance > 30) second = 1;
  else second = (second >>> distance) | ((second & ((1 << distance) - 1)) === 0 ? 0 : 1);

  let sum = alike ? first + second : first - second;
  if (sum === 0) return 0;
  const excess = 31 - Math.clz32(sum) - (stored + GUARD);
  if (excess > 0) {
    sum = (sum >>> 1) | (sum & 1);
    exponent += 1;
  } else {
    const shift = Math.min(-excess, exponent - 1);
    sum <<= shift;
    exponent -= shift;
  }
  const rest = sum & GUARD_MASK;
  let digits = sum >>> GUARD;
  if (rest > HALF || (rest === HALF && (digits & 1) !== 0)) digits += 1;
  // The hidden digit carries into the field: a normal number counts one binade less here, a subnormal one none.
  const magnitude = ((exponent - 1) << stored) + digits;
  return (large & SIGN) | Math.min(magnitude, infinity);
}
