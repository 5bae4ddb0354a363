import type { Rounding } from "../../format/round.js";

/** A binary operation on lanes. */
type Binary<V> = (a: V, b: V) => V;
type Unary<V> = (a: V) => V;
type Shift<V> = (a: V, bits: number) => V;

/**
 * The operations that the kernels of this folder are written in, on lanes of 32 bits (fp32 or integer). Names and
 * semantics are those of WebAssembly's SIMD instructions, which work on four lanes in hardware floating point. WGSL
 * works on one lane and computes fp32 with integers only (engine/webgpu/wgsl). A comparison returns a mask: all bits
 * of a lane set, or none.
 *
 * @typeParam V a value of the kernel under construction.
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
    /** The integer part of a number >= 0, at most 2^32 - 1. */
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
     * The smaller or larger number; undefined for NaN. On x86 one instruction each, while `min` and `max`, which
     * define the results for NaN and -0, take seven: a whole one-step job is a fifth faster with these.
     */
    readonly pmin: Binary<V>;
    readonly pmax: Binary<V>;
    /** Rounds to an integer, ties to even; valid from 0 to 2^24. */
    readonly nearest: Unary<V>;
    readonly floor: Unary<V>;
    /** Valid for integers from 0 to 2^24. */
    readonly convert_i32x4_s: Unary<V>;
  };
  /**
   * Rounds a magnitude to a multiple of 2^exponent like roundBelowNormal of round.ts, if the engine has a faster way.
   * Valid for exponents above that of the magnitude's last bit; `x` has its sign.
   */
  readonly roundToMultiple?: (given: V, x: V, exponent: number, rounding: Rounding, random: V) => V;
}
