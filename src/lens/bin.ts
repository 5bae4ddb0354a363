import { magnitudeCode } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { nextDown, nextUp, ulp } from "../format/neighbours.js";
import type { Overflow, Rounding } from "../format/round.js";

/** The set of reals that round to a number of a format: an interval, each end open or closed. */
export interface Bin {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly lowIncluded: boolean;
  readonly highIncluded: boolean;
}

/**
 * The bin of a number of the format; under stochastic rounding, all reals that may round to it. Valid for
 * finite numbers of the format. A bin of the largest finite number may reach to infinity.
 */
export function binOf(value: number, format: Format, rounding: Rounding, overflow: Overflow = "ieee"): Bin {
  const low = endOf(value, -1, format, rounding, overflow);
  const high = endOf(value, 1, format, rounding, overflow);
  return {
    value,
    low: low.at,
    high: high.at,
    lowIncluded: low.included,
    highIncluded: high.included,
  };
}

function endOf(
  value: number,
  side: -1 | 1,
  format: Format,
  rounding: Rounding,
  overflow: Overflow,
): { at: number; included: boolean } {
  const next = side === 1 ? nextUp(value, format) : nextDown(value, format);
  const reached = reach(value, side, format, rounding);
  if (!Number.isFinite(next)) {
    const saturates = overflow === "saturate" || !format.hasNaN;
    // Infinite stays infinite, unless it saturates.
    if (saturates || comesBack(side, rounding)) return { at: side * Infinity, included: saturates };
  }
  const gap = Number.isFinite(next) ? Math.abs(next - value) : ulp(value, format);
  return {
    at: value + side * reached * gap,
    included: reached < 1 && !goesOn(value, side, reached, format, rounding),
  };
}

/** Whether every finite number beyond the largest one rounds to it. */
function comesBack(side: -1 | 1, rounding: Rounding): boolean {
  const inward = side === 1 ? "toward-negative" : "toward-positive";
  return rounding === "toward-zero" || rounding === "to-odd" || rounding === inward;
}

/** Whether the end of the bin, half way to the next number, rounds to that. */
function goesOn(value: number, side: -1 | 1, reached: number, format: Format, rounding: Rounding): boolean {
  if (reached === 0) return false;
  if (rounding === "nearest-even") return isOdd(value, format);
  return value === 0 || Math.sign(value) === side;
}

/** How far the bin reaches to one side, in gaps there. */
function reach(value: number, side: -1 | 1, format: Format, rounding: Rounding): 0 | 0.5 | 1 {
  switch (rounding) {
    case "nearest-even":
    case "nearest-away":
      return 0.5;
    case "toward-zero":
      return value === 0 || Math.sign(value) === side ? 1 : 0;
    case "toward-positive":
      return side === -1 ? 1 : 0;
    case "toward-negative":
      return side === 1 ? 1 : 0;
    case "to-odd":
      return isOdd(value, format) ? 1 : 0;
    case "stochastic":
      return 1;
  }
}

function isOdd(value: number, format: Format): boolean {
  return magnitudeCode(Math.abs(value), format) % 2 === 1;
}
