import { exponentOf, powerOfTwo } from "./float64.js";

/** The defining parameters of a binary floating-point format; everything else is derived. */
export interface FormatParameters {
  readonly name: string;
  readonly exponentBits: number;
  /** Significand bits, including the hidden one. */
  readonly precision: number;
  readonly bias: number;
  /**
   * The number of non-finite codes at the top of each sign's range: 2^(precision-1) in IEEE formats (Inf,
   * then NaNs), 1 in e4m3fn (a NaN), 0 in finite-only formats.
   */
  readonly topCodes: number;
  /** True in the fnuz formats: zero has no sign, and the code of -0 is the only NaN. */
  readonly unsignedZero: boolean;
  readonly subnormals: boolean;
  /**
   * False in scale formats (`e8m0fnu`): no sign bit and no zero; exponent field 0 is an ordinary binade.
   * Default true.
   */
  readonly signed?: boolean;
}

/** A binary floating-point format: a value; no code branches on its name. */
export interface Format extends Required<FormatParameters> {
  /** Bits of a code: sign (if any), exponent, stored significand. */
  readonly bits: number;
  /** Exponent of the smallest normal number. */
  readonly minExponent: number;
  /** Exponent of the largest finite number. */
  readonly maxExponent: number;
  readonly maxFinite: number;
  readonly minNormal: number;
  /** The smallest positive number: `minNormal` without subnormals. */
  readonly minPositive: number;
  /** Gap between 1 and the next larger number, 2^(1-precision). */
  readonly epsilon: number;
  readonly hasInfinity: boolean;
  readonly hasNaN: boolean;
  /** Code of the largest finite number. */
  readonly maxFiniteCode: number;
}

/**
 * Defines a format from its parameters.
 *
 * @param parameters exponent bits, significand bits, bias, and the non-finite codes.
 * @returns one frozen record with all derived properties.
 * @throws RangeError unless fp32 numbers and 32-bit codes hold it exactly: 2 to 8 exponent bits, precision 2
 * to 24 (from 1 if unsigned), a bias from 1 to 128, all numbers below 2^128 and none below 2^-149; for an
 * unsigned format with subnormals or a zero.
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
