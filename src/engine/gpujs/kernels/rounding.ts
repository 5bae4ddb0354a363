import { exponentOf as exponentOfNumber } from "../../../format/float64.js";
import type { Format } from "../../../format/format.js";
import type { Overflow, Rounding } from "../../../format/round.js";
import { exponentOf, goneNumber, type KernelFunction, literal, negativeZero, plain } from "./kernel.js";

/** `roundSum` of format/round.ts, for an fp32 number x. */

/** In formats with a wider range, numbers beyond this count as no longer finite; see domain.ts. */
const wideLimit = 2 ** 110;

/**
 * 1 if a magnitude of `below` + rest gaps, 0 <= rest < 1, rounds up to below + 1, else 0. `high` and `low` are the
 * halves of 32 random bits.
 */
const goesUp: Readonly<Record<Rounding, string>> = {
  "nearest-even": "rest > 0.5 || (rest === 0.5 && odd === 1)",
  "nearest-away": "rest >= 0.5",
  "toward-zero": "rest < 0",
  "toward-positive": "rest > 0 && negative === 0",
  "toward-negative": "rest > 0 && negative === 1",
  "to-odd": "rest > 0 && odd === 0",
  // floor(2^32 rest) + bits >= 2^32, on halves of 16 bits.
  stochastic: "fractionHigh + high + (fractionLow + low >= 65536 ? 1 : 0) >= 65536",
};

/** `store(x, high, low)`: x rounded to the format, from and to device values. */
export function store(format: Format, rounding: Rounding, overflow: Overflow): readonly KernelFunction[] {
  const smallestGap = exponentOfNumber(format.minPositive);
  const zero = format.unsignedZero ? "0" : `(negative === 1 ? ${literal(negativeZero)} : 0)`;
  return [
    plain,
    exponentOf,
    {
      arguments: ["x", "high", "low"],
      source: `function store(x, high, low) {
        const a = Math.abs(plain(x));
        const negative = x < 0 ? 1 : 0;
        let magnitude = 0;
        if (a > 0) {
          const exponent = exponentOf(a);
          let gap = exponent - ${format.precision - 1};
          if (exponent < ${literal(format.minExponent)}) {
            gap = ${literal(smallestGap)};
          }
          const scaled = a * this.constants.powers[126 - gap];
          const below = Math.floor(scaled);
          const rest = scaled - below;
          const odd = below - 2 * Math.floor(below * 0.5);
          const fractionHigh = Math.floor(rest * 65536);
          const fractionLow = Math.floor((rest * 65536 - fractionHigh) * 65536);
          let rounded = below;
          if (${goesUp[rounding]}) {
            rounded = below + 1;
          }
          magnitude = rounded * this.constants.powers[gap + 126];
          ${beyond(format, rounding, overflow)}
        }
        if (magnitude === 0) {
          return ${zero};
        }
        return negative === 1 ? -magnitude : magnitude;
      }`,
    },
  ];
}

/** The result for a magnitude that is not finite in the format. */
function beyond(format: Format, rounding: Rounding, overflow: Overflow): string {
  if (format.maxFinite > wideLimit) {
    return `if (magnitude > ${literal(wideLimit)}) { magnitude = ${literal(goneNumber)}; }`;
  }
  const finite = literal(format.maxFinite);
  const infinite = literal(goneNumber);
  let becomes = infinite;
  if (overflow === "saturate" || !format.hasNaN || rounding === "toward-zero" || rounding === "to-odd") {
    becomes = finite;
  } else if (rounding === "toward-positive") becomes = `(negative === 1 ? ${finite} : ${infinite})`;
  else if (rounding === "toward-negative") becomes = `(negative === 1 ? ${infinite} : ${finite})`;
  return `if (magnitude > ${finite}) { magnitude = ${becomes}; }`;
}
