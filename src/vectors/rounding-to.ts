import { exponentOf, powerOfTwo } from "../format/float64.js";
import { type Format, ieeeFormat } from "../format/format.js";
import { type Overflow, type Rounding, roundSum } from "../format/round.js";

/** All parameters of a rounding. */
export interface RoundingTo {
  readonly format: Format;
  readonly rounding: Rounding;
  readonly overflow: Overflow;
}

export interface RoundingQuestion {
  readonly x: number;
  readonly randomBits: number;
}

export type Wrong = (x: number, randomBits: number) => number;

/** A mistake: its name, what it does, and its results. */
export type Row = readonly [name: string, says: string, wrong: Wrong];

/** The correct rounding, or the one with these settings changed. */
export const right = (
  { format, rounding, overflow }: RoundingTo,
  changed: Partial<RoundingTo> = {},
): Wrong => {
  const to = { format, rounding, overflow, ...changed };
  return (x, bits) => roundSum(x, 0, to.format, to.rounding, to.overflow, bits);
};

/** Rounds as if exponents had no limits. */
export function unbounded(x: number, { format: { precision }, rounding }: RoundingTo, bits: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const wide = ieeeFormat("wide", 8, precision - 1);
  const exponent = exponentOf(x);
  const scale = powerOfTwo(Math.max(-1022, Math.min(1023, exponent)));
  return roundSum(x / scale, 0, wide, rounding, "ieee", bits) * scale;
}
