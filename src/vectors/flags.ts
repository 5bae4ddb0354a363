import { type RoundingTo, unbounded } from "./rounding-to.js";

/** Infinite is the division of a finite number by zero. */
export const flagBits = { inexact: 1, underflow: 2, overflow: 4, infinite: 8, invalid: 16 } as const;

const { inexact, underflow, overflow, invalid } = flagBits;

/**
 * The exceptions of IEEE 754 that a result raises, as SoftFloat and TestFloat count them; tininess is detected after
 * rounding.
 *
 * @param exact the exact result, rounded to odd in fp64.
 * @param fromNaN whether an operand is NaN, which makes a NaN without an exception.
 */
export function flagsOf(exact: number, result: number, to: RoundingTo, fromNaN: boolean): number {
  if (Number.isNaN(exact)) return fromNaN ? 0 : invalid;
  if (!Number.isFinite(exact) || exact === 0) return 0;
  const free = Math.abs(unbounded(exact, to, 0));
  const { maxFinite, minNormal } = to.format;
  if (free > maxFinite) return overflow | inexact;
  if (result === exact) return 0;
  return free < minNormal ? underflow | inexact : inexact;
}
