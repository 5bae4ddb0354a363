/** Integers whose products, squares and quotients lie close to a given number. */

/** The x of 0 <= x < 2^bits with x n = 1 mod 2^bits. Valid for odd n. */
export function inverseModPower(n: bigint, bits: number): bigint {
  // n is its own inverse mod 8; each step of Newton doubles the right digits.
  let inverse = n;
  for (let right = 3; right < bits; right *= 2) inverse = BigInt.asUintN(bits, inverse * (2n - n * inverse));
  return BigInt.asUintN(bits, inverse);
}

/** The x of 0 <= x < 2^bits with x^2 = c mod 2^bits. Valid for c = 1 mod 8 and bits >= 3. */
export function squareRootsModPower(c: bigint, bits: number): readonly bigint[] {
  let root = 1n;
  // Adding 2^(i-1) to an odd root changes its square at digit i and above.
  for (let i = 3; i < bits; i++) {
    if (BigInt.asUintN(i + 1, root * root - c) !== 0n) root += 1n << BigInt(i - 1);
  }
  const half = 1n << BigInt(bits - 1);
  return [root, -root, root + half, half - root].map((x) => BigInt.asUintN(bits, x));
}
