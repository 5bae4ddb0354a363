import { float32FromBits } from "./bits.js";
import { expectedRound } from "./oracle.js";
import { fp32, type OracleFormat, valueTable } from "./oracle-formats.js";

/**
 * Draws operands for operations whose results are rounded to `format`. A draw need not be exact: an inexact one makes a
 * case less hard, never wrong.
 */
export class Draw {
  constructor(
    readonly format: OracleFormat,
    /** Uniform 32-bit integers. */
    readonly random: () => number,
    /** The formats of operands: by default those of stored weights and fp32 updates. */
    readonly operandFormats: readonly OracleFormat[] = [format, fp32],
  ) {}

  /** An integer from 0 to count - 1. */
  below(count: number): number {
    return Math.floor((this.random() / 2 ** 32) * count);
  }

  /** An integer from least to most. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  oneOf<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  sign(): 1 | -1 {
    return this.random() < 2 ** 31 ? 1 : -1;
  }

  operandFormat(): OracleFormat {
    return this.oneOf(this.operandFormats);
  }

  /** A finite number of `format`, all binades alike, subnormals included. */
  number(format: OracleFormat): number {
    return this.sign() * this.#valueAt(this.#position(format), format);
  }

  /** A number of the result format, or the midpoint above it, the one that overflow begins at included. */
  boundary(): number {
    const at = this.#position(this.format);
    const value = this.#valueAt(at, this.format);
    const midpoint = (value + this.#valueAt(at + 1, this.format)) / 2;
    return this.sign() * (this.below(3) === 0 ? value : midpoint);
  }

  /** Zero, an infinity, NaN, or an extreme number of `format`. */
  special(format: OracleFormat): number {
    const { largest, leastExponent, normalExponent } = format;
    const magnitudes = [0, 1, Infinity, NaN, largest, 2 ** leastExponent, 2 ** normalExponent];
    return this.sign() * this.oneOf(magnitudes);
  }

  /** Far less than `x`, down to the smallest fp32 number, of either sign. */
  hair(x: number): number {
    if (this.below(4) === 0) return this.sign() * 2 ** -149;
    const significand = this.below(2) === 0 ? 1 : 1 + this.random() / 2 ** 32;
    const tiny = Math.fround(x * significand * 2 ** -this.between(this.format.precision - 2, 60));
    return this.sign() * tiny;
  }

  /** The gap of `format` at `x`. */
  gap(x: number, format: OracleFormat): number {
    const exponent = x === 0 ? format.normalExponent : Math.floor(Math.log2(Math.abs(x)));
    return 2 ** Math.max(exponent + 1 - format.precision, format.leastExponent);
  }

  /** The number of `format` nearest to `x`, or one of its neighbours. */
  near(x: number, format: OracleFormat): number {
    return this.nearest(x + this.between(-1, 1) * this.gap(x, format), format);
  }

  /** The number of `format` nearest to `x`. */
  nearest(x: number, format: OracleFormat): number {
    return expectedRound(x, format, "nearest-even", "saturate");
  }

  /** An odd integer of exactly `digits` binary digits, or 1. */
  odd(digits: number): number {
    if (digits < 2) return 1;
    return 2 ** (digits - 1) + 2 * this.below(2 ** (digits - 2)) + 1;
  }

  /** An exponent of the result format's normal numbers. */
  exponent(): number {
    return this.between(this.format.normalExponent, Math.floor(Math.log2(this.format.largest)));
  }

  /** Divides an exponent between two operands. */
  split(exponent: number): [number, number] {
    const spread = this.format.normalExponent < -100 ? 30 : 2;
    const first = Math.floor(exponent / 2) + this.between(-spread, spread);
    return [first, exponent - first];
  }

  /** A position among zero and the positive numbers of a format. */
  #position(format: OracleFormat): number {
    return this.below(format === fp32 ? 0x7f80_0000 : valueTable(format).values.length - 1);
  }

  #valueAt(at: number, format: OracleFormat): number {
    if (format !== fp32) return valueTable(format).values[at]!;
    return at === 0x7f80_0000 ? 2 ** 128 : float32FromBits(at);
  }
}
