/** fp64 numbers by their bits, as vectors carry and step them. */

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const integer = new BigInt64Array(float.buffer);
float[0] = 1;
const high = words[1] === 0x3ff00000 ? 1 : 0;

/** The upper and the lower 32 bits. */
export function float64Words(x: number): readonly [number, number] {
  float[0] = x;
  return [words[high], words[1 - high]];
}

export function float64FromWords(upper: number, lower: number): number {
  words[high] = upper;
  words[1 - high] = lower;
  return float[0];
}

/** The fp64 number `ulps` numbers above `x`, through zero if need be. Valid for finite `x` and results. */
export function stepFloat64(x: number, ulps: number): number {
  float[0] = x;
  const bits = integer[0];
  const index = (bits >= 0n ? bits : -(2n ** 63n) - bits) + BigInt(ulps);
  if (index < 0n) {
    integer[0] = -index;
    return -float[0];
  }
  integer[0] = index;
  return float[0];
}

/** `x` + tail rounded to odd: what is rounded on to 51 bits or fewer is rounded as the exact sum would be. */
export function roundedToOdd(x: number, tail: number): number {
  if (tail === 0 || !Number.isFinite(x) || !Number.isFinite(tail)) return x;
  float[0] = x;
  if ((words[1 - high] & 1) === 1) return x;
  return stepFloat64(x, Math.sign(tail));
}

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

export function float32Bits(x: number): number {
  single[0] = x;
  return singleBits[0];
}

export function float32FromBits(bits: number): number {
  singleBits[0] = bits;
  return single[0];
}
