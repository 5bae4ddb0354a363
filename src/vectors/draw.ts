import { decodeMagnitude } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { gapAt, round } from "../format/round.js";
import { tensorKey } from "../update/threefry.js";
import type { NumberSource } from "./number-source.js";
import { numberAt } from "./number-source.js";

/** Numbers drawn from a seed for tests of a format: the same for the same seed and purpose, on every machine. */
export class Draw {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, purpose: string) {
    [this.#a, this.#b] = tensorKey(seed, purpose);
    this.#c = this.#a ^ this.#b;
    for (let i = 0; i < 12; i++) this.bits();
  }

  /** An unsigned integer of 32 bits (sfc32, C. Doty-Humphrey, PractRand): millions of draws go into a level. */
  bits(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + result;
    return result >>> 0;
  }

  /** An integer from 0 to count - 1. */
  below(count: number): number {
    return Math.floor((this.bits() / 2 ** 32) * count);
  }

  /** An integer from least to most. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  oneOf<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  sign(): 1 | -1 {
    return this.bits() < 2 ** 31 ? 1 : -1;
  }

  /** A finite number of the format, all binades alike, subnormals included. */
  number(format: Format): number {
    return this.sign() * decodeMagnitude(this.below(format.maxFiniteCode + 1), format);
  }

  /** A number that comes in the source: of any size, of a format's own numbers all alike. */
  anyNumber({ format }: NumberSource): number {
    if (format !== null) return this.number(format);
    // Mostly where formats have numbers.
    const exponent = this.below(4) === 0 ? this.between(-1074, 1023) : this.between(-160, 130);
    return this.sign() * (1 + this.bits() / 2 ** 32 + this.bits() / 2 ** 52 / 2 ** 12) * 2 ** exponent;
  }

  /** A number of the format, or the midpoint above it, the one that overflow begins at included. */
  boundary(format: Format): number {
    const code = this.below(format.maxFiniteCode + 1);
    const number = decodeMagnitude(code, format);
    return this.sign() * (this.below(3) === 0 ? number : (number + numberAt(code + 1, format)) / 2);
  }

  /** Zero, an infinity, NaN, or an extreme number. */
  special({ maxFinite, minNormal, minPositive, hasInfinity, hasNaN }: Format): number {
    const beyond = [...(hasInfinity ? [Infinity] : []), ...(hasNaN ? [NaN] : [])];
    return this.sign() * this.oneOf([0, 1, maxFinite, minPositive, minNormal, ...beyond]);
  }

  /** Far less than `x`, of either sign. */
  hair(x: number, format: Format): number {
    if (this.below(4) === 0) return this.sign() * format.minPositive;
    const significand = this.below(2) === 0 ? 1 : 1 + this.bits() / 2 ** 32;
    return this.sign() * x * significand * 2 ** -this.between(format.precision - 2, 2 * format.precision + 6);
  }

  /** The number of the format nearest to `x`, or one of its neighbours. */
  near(x: number, format: Format): number {
    return this.nearest(x + this.between(-1, 1) * gapOf(x, format), format);
  }

  /** The number of the format nearest to `x`, 0 for NaN. */
  nearest(x: number, format: Format): number {
    return round(Number.isNaN(x) ? 0 : x, format, { overflow: "saturate" });
  }

  /** An odd integer of exactly `digits` binary digits, or 1. */
  odd(digits: number): number {
    if (digits < 2) return 1;
    return 2 ** (digits - 1) + 2 * this.below(2 ** (digits - 2)) + 1;
  }

  /** An exponent of the format's normal numbers. */
  exponent({ minExponent, maxExponent }: Format): number {
    return this.between(minExponent, maxExponent);
  }

  /** Divides an exponent between two operands. */
  split(exponent: number, { minExponent }: Format): readonly [number, number] {
    const spread = minExponent < -100 ? 30 : 2;
    const first = Math.floor(exponent / 2) + this.between(-spread, spread);
    return [first, exponent - first];
  }
}

/** The gap of the format at `x`, which may lie beyond it. */
export function gapOf(x: number, format: Format): number {
  const exponent = x === 0 || !Number.isFinite(x) ? format.minExponent : Math.floor(Math.log2(Math.abs(x)));
  return gapAt(Math.min(Math.max(exponent, format.minExponent - 1), format.maxExponent), format);
}
