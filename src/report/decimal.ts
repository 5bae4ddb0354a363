/**
 * The exact decimal expansion of numbers and of their sums: a binary fraction m / 2^k is m 5^k / 10^k, which has k
 * digits. Uses integers only.
 */

/** All fp64 numbers are multiples of 2^-1074. */
const leastExponent = 1074;

/** Exponents of ten outside of these are written in scientific notation: 1e-5, 1e21. */
const leastPower = -4;
const mostPower = 20;

/**
 * All digits of x, or of the sum of several numbers, without trailing zeros. NaN, Inf and -0 by name.
 *
 * @example exactDecimal(Math.fround(1e-6)); // "9.999999974752427078783512115478515625e-7"
 */
export function exactDecimal(...terms: readonly number[]): string {
  const [first] = terms;
  if (!terms.every(Number.isFinite)) return nameOf(terms.reduce((sum, x) => sum + x));
  const units = terms.reduce((sum, x) => sum + unitsOf(x), 0n);
  if (units === 0n) return Object.is(first, -0) ? "-0" : "0";
  const sign = units < 0n ? "-" : "";
  return sign + digitsOf(units < 0n ? -units : units);
}

function nameOf(x: number): string {
  if (Number.isNaN(x)) return "NaN";
  return x < 0 ? "-Inf" : "Inf";
}

/** x / 2^-1074, exactly. */
function unitsOf(x: number): bigint {
  // By repeated multiplication, which is exact: fp64 cannot hold 2^1074.
  let [scaled, left] = [x, leastExponent];
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    left -= 1;
  }
  return BigInt(scaled) << BigInt(left);
}

function digitsOf(units: bigint): string {
  const all = (units * 5n ** BigInt(leastExponent)).toString();
  // The point is 1074 digits from the end.
  const power = all.length - 1 - leastExponent;
  const digits = all.replace(/0+$/, "");
  if (power < leastPower || power > mostPower) {
    const [head, tail] = [digits[0], digits.slice(1)];
    return `${head}${tail && `.${tail}`}e${power}`;
  }
  if (power < 0) return `0.${"0".repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, "0");
  const fraction = digits.slice(power + 1);
  return fraction ? `${whole}.${fraction}` : whole;
}
