import type { Rounding } from "../../src/format/round.js";

/**
 * Rounding from fp32 by shifts and masks on 32-bit integers, the second derivation that the sweeps compare with:
 * fp32 bits in, fp32 bits out. Nothing here is floating-point, and nothing is read from `src/`.
 */

const INFINITY = 0x7f80_0000;
/** The one NaN that {@link roundBits} gives. */
export const NAN = 0x7fc0_0000;

/** A format, in the bits of fp32 numbers. */
export interface BitFormat {
  /** Digits of an fp32 significand that a normal number of the format lacks. */
  readonly dropped: number;
  readonly smallestNormal: number;
  readonly smallest: number;
  readonly largest: number;
  /** What overflows become. */
  readonly beyond: number;
}

export const bitFormats = {
  bf16: {
    dropped: 16,
    smallestNormal: 0x0080_0000,
    smallest: 0x0001_0000,
    largest: 0x7f7f_0000,
    beyond: INFINITY,
  },
  fp16: {
    dropped: 13,
    smallestNormal: 0x3880_0000,
    smallest: 0x3380_0000,
    largest: 0x477f_e000,
    beyond: INFINITY,
  },
  e5m2: {
    dropped: 21,
    smallestNormal: 0x3880_0000,
    smallest: 0x3780_0000,
    largest: 0x4760_0000,
    beyond: INFINITY,
  },
  e4m3fn: {
    dropped: 20,
    smallestNormal: 0x3c80_0000,
    smallest: 0x3b00_0000,
    largest: 0x43e0_0000,
    beyond: NAN,
  },
} as const satisfies Record<string, BitFormat>;

/** Valid for every 32-bit pattern; the result is a signed 32-bit integer. */
export function roundBits(bits: number, format: BitFormat, rounding: Rounding): number {
  const sign = bits & 0x8000_0000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude >= INFINITY) return magnitude > INFINITY ? NAN : outward(sign, format);

  const field = magnitude >>> 23;
  const significand = field === 0 ? magnitude : (magnitude & 0x7f_ffff) | 0x80_0000;
  const binade = field === 0 ? 1 : field;
  const normalBinade = format.smallestNormal >>> 23;
  const dropped = format.dropped + (binade < normalBinade ? normalBinade - binade : 0);

  // The encoding is linear within a binade and continuous between binades, so that neighbours are a sum away.
  let below = 0;
  let above = format.smallest;
  let rest = significand;
  let half = dropped === 24 ? 0x80_0000 : 0x100_0000;
  let odd = false;
  if (dropped < 24) {
    const gap = 1 << dropped;
    rest = significand & (gap - 1);
    below = magnitude - rest;
    above = below + gap;
    half = gap >>> 1;
    odd = (significand & gap) !== 0;
  }
  const rounded = rest !== 0 && goesUp(rest, half, odd, sign !== 0, rounding) ? above : below;
  if (rounded <= format.largest) return sign | rounded;
  return goesInward(sign !== 0, rounding) ? sign | format.largest : outward(sign, format);
}

function goesUp(rest: number, half: number, odd: boolean, negative: boolean, rounding: Rounding): boolean {
  switch (rounding) {
    case "nearest-even":
      return rest > half || (rest === half && odd);
    case "nearest-away":
      return rest >= half;
    case "toward-zero":
      return false;
    case "toward-positive":
      return !negative;
    case "toward-negative":
      return negative;
    case "to-odd":
      return !odd;
    case "stochastic":
      throw new TypeError("expected a deterministic rounding, found stochastic");
  }
}

function goesInward(negative: boolean, rounding: Rounding): boolean {
  switch (rounding) {
    case "toward-zero":
    case "to-odd":
      return true;
    case "toward-positive":
      return negative;
    case "toward-negative":
      return !negative;
    default:
      return false;
  }
}

function outward(sign: number, { beyond }: BitFormat): number {
  return beyond === NAN ? NAN : sign | beyond;
}
