import { exponentOf } from "./float64.js";
import type { Format } from "./format.js";
import { gapAt, type RoundOptions, round } from "./round.js";

/**
 * The code of the number that `x` rounds to: an unsigned integer of `format.bits` bits, sign first if there is one. NaN has one
 * code: that of -0 in fnuz formats, the only one in e4m3fn, the quiet NaN without payload in IEEE formats.
 *
 * @throws RangeError if the result is NaN and the format has none; TypeError as {@link round}.
 */
export function encode(x: number, format: Format, options?: RoundOptions): number {
  const value = round(x, format, options);
  if (Number.isNaN(value)) return nanCode(format);
  const signed = value < 0 || Object.is(value, -0);
  return (signed ? signBit(format) : 0) + magnitudeCode(Math.abs(value), format);
}

/**
 * The number of a code; every NaN code gives NaN.
 *
 * @throws RangeError if `code` is not an unsigned integer of `format.bits` bits.
 */
export function decode(code: number, format: Format): number {
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
 * The numbers of all codes, in the order of the codes. Valid for formats of at most 16 bits.
 */
export function decodeTable(format: Format): Float32Array {
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

/** The code of a number of the format, without its sign. Codes are in the order of the magnitudes. */
export function magnitudeCode(magnitude: number, format: Format): number {
  if (magnitude === 0) return 0;
  if (magnitude === Infinity) return format.maxFiniteCode + 1;
  const exponent = Math.max(exponentOf(magnitude), format.minExponent);
  const hiddenBit = 2 ** (format.precision - 1);
  // With the hidden bit inside the significand, a normal number counts one binade too many and a subnormal one
  // none: the same expression serves both. Without subnormals in field 0, as in unsigned formats, it is one too many.
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
  return 2 ** (format.bits - 1);
}
