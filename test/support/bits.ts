/** Floating-point numbers as integers in the order of their values, so that one ulp is one. */

const view = new DataView(new ArrayBuffer(8));
const INT64_MIN = -(2n ** 63n);

/** Index of the largest finite fp64; Infinity has the next one. */
export const MAX_FLOAT64_INDEX = 0x7fef_ffff_ffff_ffffn;

/** The number of any 64-bit pattern. */
export function float64FromBits(bits: bigint): number {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

/** The number of any 32-bit pattern. */
export function float32FromBits(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

export function float32Bits(x: number): number {
  view.setFloat32(0, x);
  return view.getUint32(0);
}

/** How many fp64 numbers lie between +0 and `x`, negative for negative `x`; -0 is at -1/2, given as 0. */
export function float64Index(x: number): bigint {
  view.setFloat64(0, x);
  const signed = view.getBigInt64(0);
  return signed >= 0n ? signed : INT64_MIN - signed;
}

/** The inverse of {@link float64Index}. */
export function float64At(index: bigint): number {
  return index >= 0n ? float64FromBits(index) : -float64FromBits(-index);
}

/** The fp64 number `ulps` numbers above `x`. Valid below 2^31 ulps. */
export function stepFloat64(x: number, ulps: number): number {
  view.setFloat64(0, x);
  const high = view.getUint32(0);
  const low = view.getUint32(4) + (x < 0 ? -ulps : ulps);
  // In two words, many times faster than by BigInt; that is left to what may cross zero.
  if ((high & 0x7fff_ffff) === 0) return float64At(float64Index(x) + BigInt(ulps));
  view.setUint32(0, low < 0 ? high - 1 : low > 0xffff_ffff ? high + 1 : high);
  view.setUint32(4, low);
  return view.getFloat64(0);
}

/** The fp32 number `ulps` numbers above the fp32 number `x`. */
export function stepFloat32(x: number, ulps: number): number {
  view.setFloat32(0, x);
  const signed = view.getInt32(0);
  const index = (signed >= 0 ? signed : -(2 ** 31) - signed) + ulps;
  return index >= 0 ? float32FromBits(index) : -float32FromBits(-index);
}

/** Uniform 32-bit integers from a seed (xorshift32, Marsaglia 2003), for loops too long for fast-check. */
export function random32(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
