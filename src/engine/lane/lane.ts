import type { Rounding } from "../../format/round.js";

/** A binary operation on lanes. */
type Binary<V> = (a: V, b: V) => V;
type Unary<V> = (a: V) => V;
type Shift<V> = (a: V, bits: number) => V;

/**
 * What the texts of this folder are written in: operations on lanes of 32 bits, each fp32 number or integer. Names and
 * meanings are those of WebAssembly's SIMD instructions, which carry them out on four lanes with the machine's floats;
 * WGSL carries them out on one lane, fp32 by integers alone (engine/webgpu/wgsl). A comparison gives a mask: all bits of
 * a lane set, or none.
 *
 * @typeParam V a value under construction: lanes that the finished kernel computes.
 */
export interface Lane<V> {
  readonly v128: {
    readonly and: Binary<V>;
    readonly or: Binary<V>;
    readonly xor: Binary<V>;
    /** Bits of `a` where `b` has none. */
    readonly andnot: Binary<V>;
    readonly not: Unary<V>;
    /** Bits of `a` where the mask has ones, of `b` elsewhere. */
    readonly select: (mask: V, a: V, b: V) => V;
  };
  readonly i32x4: {
    readonly constant: (x: number) => V;
    readonly add: Binary<V>;
    readonly sub: Binary<V>;
    readonly eq: Binary<V>;
    readonly lt_s: Binary<V>;
    readonly lt_u: Binary<V>;
    readonly gt_s: Binary<V>;
    readonly min_s: Binary<V>;
    readonly max_s: Binary<V>;
    readonly shl: Shift<V>;
    readonly shr_s: Shift<V>;
    readonly shr_u: Shift<V>;
    /** Of a number from 0 up: its whole part, at most 2^32 - 1. */
    readonly trunc_sat_f32x4_u: Unary<V>;
  };
  readonly f32x4: {
    readonly constant: (x: number) => V;
    readonly add: Binary<V>;
    readonly sub: Binary<V>;
    readonly mul: Binary<V>;
    readonly div: Binary<V>;
    readonly sqrt: Unary<V>;
    readonly neg: Unary<V>;
    readonly eq: Binary<V>;
    readonly ne: Binary<V>;
    readonly gt: Binary<V>;
    readonly ge: Binary<V>;
    /**
     * The smaller or larger number; of NaN, whatever the machine gives. On x86 one instruction each, where `min` and `max`,
     * which say what becomes of NaN and -0, are seven: a whole one-step job is a fifth faster with these.
     */
    readonly pmin: Binary<V>;
    readonly pmax: Binary<V>;
    /** To a whole number, ties to even; valid from 0 to 2^24. */
    readonly nearest: Unary<V>;
    readonly floor: Unary<V>;
    /** Of a whole number from 0 to 2^24. */
    readonly convert_i32x4_s: Unary<V>;
  };
  /**
   * An engine's own way to round a magnitude to a multiple of 2^exponent, as roundBelowNormal of round.ts does, where it
   * has a faster one. Valid for exponents above that of the magnitude's last place; `x` has its sign.
   */
  readonly roundToMultiple?: (given: V, x: V, exponent: number, rounding: Rounding, random: V) => V;
}
