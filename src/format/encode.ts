import { exponentOf, powerOfTwo } from "./float64.js";
import type { Format } from "./format.js";
import { formatOf } from "./registry.js";
import { gapAt, type RoundOptions, roundBy } from "./round.js";

/**
 * Rounds `x` and returns its code: an unsigned integer of `format.bits` bits, with the sign (if any) in the
 * top bit. NaN has one code: that of -0 in fnuz formats, the only one in e4m3fn, the quiet NaN without
 * payload in IEEE formats.
 *
 * @param x any number.
 * @param formatOrName a format or its name.
 * @param options rounding, overflow, random bits.
 * @returns an integer from 0 to 2^bits - 1.
 * @throws RangeError if the result is NaN and the format has none; TypeError and RangeError as {@link round}.
 * @example encode(1, "bf16"); // 0x3f80
 */
export function encode(x: number, formatOrName: Format | string, options?: RoundOptions): number {
  const format = formatOf(formatOrName);
  return codeOf(roundBy(x, format, options), format);
}

/**
 * The code of a number of the format.
 *
 * @throws RangeError if it is NaN and the format has none.
 */
export function codeOf(value: number, format: Format): number {
  if (Number.isNaN(value)) return nanCode(format);
  const signed = value < 0 || Object.is(value, -0);
  return (signed ? signBit(format) : 0) + magnitudeCode(Math.abs(value), format);
}

/**
 * Decodes a code; every NaN code gives NaN.
 *
 * @param code an unsigned integer of `format.bits` bits, with the sign in the top bit.
 * @param formatOrName a format or its name.
 * @returns the number, Inf or NaN.
 * @throws RangeError if `code` is outside the format, or the format is unknown.
 * @example decode(0x3f81, "bf16"); // 1.0078125
 */
export function decode(code: number, formatOrName: Format | string): number {
  const format = formatOf(formatOrName);
  const codes = 2 ** format.bits;
  if (!Number.isInteger(code) || code < 0 || code >= codes) {
    throw new RangeError(
      `${code} is not a code of ${format.name}: expected an integer from 0 to ${codes - 1}`,
    );
  }
  const sign = signBit(format);
  if (!format.signed || code < sign) return decodeMagnitude(code, format);
  if (code === sign && format.unsignedZero) return NaN;
  return -decodeMagnitude(code - sign, format);
}

/**
 * Decodes all codes, in code order.
 *
 * @param formatOrName a format of at most 16 bits, or its name.
 * @returns 2^bits numbers; NaN for the codes of NaN.
 * @throws RangeError for a format with more bits, or an unknown one.
 * @example decodeTable("e2m1fn").slice(0, 8); // Float32Array.of(0, 0.5, 1, 1.5, 2, 3, 4, 6)
 */
export function decodeTable(formatOrName: Format | string): Float32Array {
  const format = formatOf(formatOrName);
  if (format.bits > 16)
    throw new RangeError(`${format.name}: expected a format of at most 16 bits, found ${format.bits}`);
  const table = new Float32Array(2 ** format.bits);
  if (!format.signed) return table.map((_, code) => decodeMagnitude(code, format));
  const sign = signBit(format);
  for (let code = 0; code < sign; code++) {
    table[code] = decodeMagnitude(code, format);
    table[sign + code] = -table[code];
  }
  if (format.unsignedZero) table[sign] = NaN;
  return table;
}

/** The code of a number of the format, without its sign. Codes are ordered by magnitude. */
export function magnitudeCode(magnitude: number, format: Format): number {
  if (magnitude === 0) return 0;
  if (magnitude === Infinity) return format.maxFiniteCode + 1;
  const exponent = Math.max(exponentOf(magnitude), format.minExponent);
  const hiddenBit = powerOfTwo(format.precision - 1);
  // With the hidden bit inside the significand, a normal number counts one binade too many and a subnormal
  // none, so one expression serves both. In unsigned formats, which have no subnormals in field 0, subtract
  // one.
  const significand = magnitude / gapAt(exponent, format) - (format.signed ? 0 : hiddenBit);
  return (exponent - format.minExponent) * hiddenBit + significand;
}

/** The number of a code without its sign. */
export function decodeMagnitude(code: number, format: Format): number {
  if (code > format.maxFiniteCode) {
    return format.hasInfinity && code === format.maxFiniteCode + 1 ? Infinity : NaN;
  }
  const hiddenBit = 2 ** (format.precision - 1);
  const field = Math.floor(code / hiddenBit);
  if (field === 0 && format.signed) return format.subnormals ? code * gapAt(format.minExponent, format) : 0;
  return (hiddenBit + (code % hiddenBit)) * gapAt(field - format.bias, format);
}

function nanCode(format: Format): number {
  if (!format.hasNaN) throw new RangeError(`${format.name} has no code for NaN`);
  if (format.unsignedZero) return signBit(format);
  // IEEE 754-2019, 6.2.1: the first stored significand bit set means quiet, the upper half of the top codes.
  return format.maxFiniteCode + 1 + Math.floor(format.topCodes / 2);
}

function signBit(format: Format): number {
  return powerOfTwo(format.bits - 1);
}
