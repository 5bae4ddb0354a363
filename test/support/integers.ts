/** Integer arithmetic for oracles, and for operands whose exact result is known to lie close to a given number. */

/** Digits of a positive integer in base 2. Valid below 2^1023. */
export function bitLength(n: bigint): number {
  const length = Math.floor(Math.log2(Number(n))) + 1;
  // Rounding to fp64 and the logarithm are off by one at most, next to powers of two.
  if (n >> BigInt(length) !== 0n) return length + 1;
  return n >> BigInt(length - 1) === 0n ? length - 1 : length;
}

/** floor(sqrt n), with the proof by multiplication at the end. Valid below 2^1023. */
export function squareRootFloor(n: bigint): bigint {
  let root = BigInt(Math.floor(Math.sqrt(Number(n))));
  if (root === 0n) return 0n;
  // Newton from 52 correct bits: two steps give more than 200.
  root = (root + n / root) >> 1n;
  root = (root + n / root) >> 1n;
  while (root * root > n) root -= 1n;
  while ((root + 1n) * (root + 1n) <= n) root += 1n;
  return root;
}

/** The x of 0 <= x < 2^bits with x n = 1 mod 2^bits. Valid for odd n. */
export function inverseModPower(n: bigint, bits: number): bigint {
  // n is its own inverse mod 8; each Newton step doubles the number of correct digits.
  let inverse = n;
  for (let right = 3; right < bits; right *= 2) inverse = BigInt.asUintN(bits, inverse * (2n - n * inverse));
  return BigInt.asUintN(bits, inverse);
}

/**
 * All x of 0 <= x < 2^bits with x^2 = c mod 2^bits: four, if c = 1 mod 8, and else none. Valid for odd c and
 * bits >= 3.
 */
export function squareRootsModPower(c: bigint, bits: number): bigint[] {
  if (BigInt.asUintN(3, c) !== 1n) return [];
  let root = 1n;
  // Adding 2^(i-1) to an odd root changes its square at digit i and above.
  for (let i = 3; i < bits; i++) {
    if (BigInt.asUintN(i + 1, root * root - c) !== 0n) root += 1n << BigInt(i - 1);
  }
  const half = 1n << BigInt(bits - 1);
  return [root, -root, root + half, half - root].map((x) => BigInt.asUintN(bits, x));
}
