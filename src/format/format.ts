import { exponentOf, powerOfTwo } from "./float64.js";

/** What defines a binary floating-point format; all else is derived from it. */
export interface FormatParameters {
  readonly name: string;
  readonly exponentBits: number;
  /** Significand bits, the hidden one included. */
  readonly precision: number;
  readonly bias: number;
  /**
   * How many codes at the top of each sign's half are not finite: 2^(precision-1) in IEEE formats (Inf, then
   * NaNs), 1 in e4m3fn (a NaN), 0 in finite-only formats.
   */
  readonly topCodes: number;
  /** True in the fnuz formats: zero has no sign, and the code of -0 is the only NaN. */
  readonly unsignedZero: boolean;
  readonly subnormals: boolean;
  /**
   * False in formats of scales (`e8m0fnu`): no sign bit and no zero; codes whose exponent field is 0 are a binade as any
   * other. Default true.
   */
  readonly signed?: boolean;
}

/** A binary floating-point format: a value, never a branch in code. */
export interface Format extends Required<FormatParameters> {
  /** Bits of a code: sign (if any), exponent, stored significand. */
  readonly bits: number;
  /** Exponent of the smallest normal number. */
  readonly minExponent: number;
  /** Exponent of the largest finite number. */
  readonly maxExponent: number;
  readonly maxFinite: number;
  readonly minNormal: number;
  /** The smallest positive number: `minNormal` where there are no subnormals. */
  readonly minPositive: number;
  /** Gap between 1 and the next larger number, 2^(1-precision). */
  readonly epsilon: number;
  readonly hasInfinity: boolean;
  readonly hasNaN: boolean;
  /** Code of the largest finite number. */
  readonly maxFiniteCode: number;
}

/**
 * Makes a format from its parameters.
 *
 * @param parameters exponent bits, significand bits, bias, and which codes are no finite numbers.
 * @returns one frozen record, with all that is derived from them.
 * @throws RangeError outside what fp32 numbers and 32-bit codes carry exactly: 2 to 8 exponent bits, precision 2 to 24 (from 1
 *   where there is no sign), a bias from 1 to 128, and no number of 2^128 and more or below 2^-149; for an unsigned format
 *   with subnormals or a zero.
 * @example
 * const e3m4 = { name: "e3m4fn", exponentBits: 3, precision: 5, bias: 3, topCodes: 1, unsignedZero: false, subnormals: true };
 * defineFormat(e3m4).maxFinite; // 30
 */
export function defineFormat(parameters: FormatParameters): Format {
  const { name, exponentBits, precision, bias, topCodes, unsignedZero, signed = true } = parameters;
  if (!isIntegerIn(exponentBits, 2, 8) || !isIntegerIn(precision, signed ? 2 : 1, 24)) {
    throw new RangeError(`format ${name}: expected 2 to 8 exponent bits and 1 to 23 stored significand bits`);
  }
  if (!signed && (parameters.subnormals || unsignedZero)) {
    throw new RangeError(`format ${name}: expected neither subnormals nor a zero where there is no sign`);
  }
  if (!isIntegerIn(bias, 1, 128) || !isIntegerIn(topCodes, 0, 2 ** (precision - 1))) {
    throw new RangeError(`format ${name}: expected a bias from 1 to 128 and at most one binade of top codes`);
  }
  const hiddenBit = 2 ** (precision - 1);
  const lowestField = signed ? 1 : 0;
  const minExponent = lowestField - bias;
  const minNormal = powerOfTwo(minExponent);
  const maxFiniteCode = 2 ** exponentBits * hiddenBit - 1 - topCodes;
  const maxExponent = Math.floor(maxFiniteCode / hiddenBit) - bias;
  const minPositive = parameters.subnormals ? minNormal / hiddenBit : minNormal;
  if (maxExponent > 127 || minPositive < 2 ** -149) {
    throw new RangeError(
      `format ${name}: expected numbers from 2^-149 to below 2^128, as fp32 has them, ` +
        `found 2^${exponentOf(minPositive)} to below 2^${maxExponent + 1}`,
    );
  }
  return Object.freeze({
    ...parameters,
    signed,
    bits: exponentBits + precision - (signed ? 0 : 1),
    minExponent,
    maxExponent,
    maxFinite: (hiddenBit + (maxFiniteCode % hiddenBit)) * powerOfTwo(maxExponent + 1 - precision),
    minNormal,
    minPositive,
    epsilon: 1 / hiddenBit,
    hasInfinity: topCodes >= 2,
    hasNaN: topCodes >= 1 || unsignedZero,
    maxFiniteCode,
  });
}

/**
 * The IEEE-like format with the given field widths: bias 2^(e-1)-1, the top exponent for Inf and NaN,
 * subnormals.
 */
export function ieeeFormat(name: string, exponentBits: number, significandBits: number): Format {
  return defineFormat({
    name,
    exponentBits,
    precision: significandBits + 1,
    bias: 2 ** (exponentBits - 1) - 1,
    topCodes: 2 ** significandBits,
    unsignedZero: false,
    subnormals: true,
  });
}

function isIntegerIn(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
