import fc, { type Arbitrary } from "fast-check";
import { float32FromBits, float64At, float64FromBits, MAX_FLOAT64_INDEX, stepFloat64 } from "./bits.js";
import { allRoundings, overflowModes } from "./oracle.js";
import { fp32, type OracleFormat, valueTable } from "./oracle-formats.js";

/** Uniform over all fp64 bit patterns: NaN payloads, infinities, all exponents. */
export const rawFloat64: Arbitrary<number> = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(float64FromBits);

/** Finite fp64 numbers by index, so that shrinking walks ulps towards zero. */
export const finiteFloat64: Arbitrary<number> = fc
  .bigInt({ min: -MAX_FLOAT64_INDEX, max: MAX_FLOAT64_INDEX })
  .map(float64At);

/** Powers of two of both signs, over the whole fp64 range. */
export const powerOfTwo: Arbitrary<number> = fc
  .tuple(fc.integer({ min: -1074, max: 1023 }), fc.constantFrom(1, -1))
  .map(([exponent, sign]) => sign * 2 ** exponent);

/** Finite numbers of the format, both zeros included. Shrinks towards zero by numbers of the format. */
export function numberOf(format: OracleFormat): Arbitrary<number> {
  return fc
    .tuple(position(format), fc.boolean())
    .map(([at, negative]) => (negative ? -valueAt(at, format) : valueAt(at, format)));
}

/**
 * fp64 numbers a few ulps from a number of the format or a midpoint, where roundings change their mind. The last
 * midpoint is the one that overflow begins at. Shrinks by ulps towards the number or midpoint.
 */
export function nearNumberOf(format: OracleFormat): Arbitrary<number> {
  return fc
    .record({
      at: position(format),
      midpoint: fc.boolean(),
      ulps: fc.integer({ min: -3, max: 3 }),
      negative: fc.boolean(),
    })
    .map(({ at, midpoint, ulps, negative }) => {
      const value = valueAt(at, format);
      const center = midpoint ? (value + valueAt(at + 1, format)) / 2 : value;
      const near = stepFloat64(center, ulps);
      return negative ? -near : near;
    });
}

/** fp64 numbers within the range of the format, of any significand. */
export function insideRangeOf(format: OracleFormat): Arbitrary<number> {
  return fc
    .tuple(
      fc.integer({ min: format.leastExponent - 3, max: Math.ceil(Math.log2(format.largest)) }),
      fc.bigInt({ min: 0n, max: 2n ** 52n - 1n }),
      fc.constantFrom(1, -1),
    )
    .map(([exponent, significand, sign]) => sign * (1 + Number(significand) * 2 ** -52) * 2 ** exponent);
}

/** Every kind of finite input worth rounding to the format. */
export function finiteInput(format: OracleFormat): Arbitrary<number> {
  return fc.oneof(
    { weight: 4, arbitrary: nearNumberOf(format) },
    { weight: 3, arbitrary: insideRangeOf(format) },
    { weight: 1, arbitrary: finiteFloat64 },
    { weight: 1, arbitrary: powerOfTwo },
  );
}

/** Every kind of input, NaN and the infinities included. */
export function anyInput(format: OracleFormat): Arbitrary<number> {
  return fc.oneof(
    { weight: 8, arbitrary: finiteInput(format) },
    { weight: 1, arbitrary: rawFloat64 },
    { weight: 1, arbitrary: fc.constantFrom(0, -0, Infinity, -Infinity, NaN) },
  );
}

/** 32 random bits, the extremes often. */
export const randomBits: Arbitrary<number> = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
);

/** Options of `round` under any rounding. */
export const anyOptions = fc.record({
  rounding: fc.constantFrom(...allRoundings),
  overflow: fc.constantFrom(...overflowModes),
  randomBits,
});

/** A position among zero and the positive numbers of the format. */
function position(format: OracleFormat): Arbitrary<number> {
  const largest = format === fp32 ? 0x7f7f_ffff : valueTable(format).values.length - 2;
  return fc.integer({ min: 0, max: largest });
}

/** The number at a position; one beyond the largest is the number that would follow it. */
function valueAt(at: number, format: OracleFormat): number {
  if (format !== fp32) return valueTable(format).values[at]!;
  return at === 0x7f80_0000 ? 2 ** 128 : float32FromBits(at);
}
