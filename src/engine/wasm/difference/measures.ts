import { firstWideDistance } from "../../../lens/ulp-distance.js";
import type { F64, FunctionWriter, I32, V128 } from "../assembler/function.js";
import { promoteHalf } from "../kernel/lanes.js";
import { sumOfLanes } from "../kernel/sum.js";
import { bitsOf, gather } from "./find.js";
import { layout, nearDistances, report, vectorBytes } from "./layout.js";
import { all, type Range } from "./range.js";

/** The measures of gathered elements, in locals. */
export class Measures {
  readonly #k: FunctionWriter;
  readonly #range: Range;
  readonly #signFlips: V128;
  readonly #largeMoves: V128;
  readonly #distances: readonly V128[];
  readonly #lanes: readonly V128[];
  readonly #farther: I32;
  /** Nonzero if two elements are both zero. */
  readonly zeros: V128;

  constructor(k: FunctionWriter, range: Range) {
    this.#k = k;
    this.#range = range;
    const vectors = (n: number) => Array.from({ length: n }, () => k.variable("v128"));
    [this.#signFlips, this.#largeMoves, this.zeros] = vectors(3);
    this.#distances = vectors(nearDistances);
    this.#lanes = vectors(4);
    this.#farther = k.variable("i32");
  }

  /** Measures a vector of the lists; padding zeros add nothing. */
  measure(at: I32): void {
    const k = this.#k;
    const { v128, i16x8 } = k;
    const none = all(k, 0);
    const [a, b] = [k.load("v128", at, layout.before), k.load("v128", at, layout.after)];
    this.#range.include(b);
    const distance = k.variable("v128");
    k.assign(distance, i16x8.sub(i16x8.max_u(a, b), i16x8.min_u(a, b)));
    const differ = v128.xor(a, b);
    k.if(i16x8.bitmask(differ), () => {
      const otherSign = i16x8.shr_s(differ, 15);
      const [from, to] = [this.#magnitude(a), this.#magnitude(b)];
      k.assign(distance, v128.select(otherSign, i16x8.add(from, to), distance));
      const isZero = v128.or(i16x8.eq(from, none), i16x8.eq(to, none));
      this.#count(this.#signFlips, v128.andnot(otherSign, isZero));
      const both = i16x8.eq(v128.or(from, to), none);
      k.assign(this.zeros, v128.or(this.zeros, v128.and(otherSign, both)));
    });
    for (const [n, counts] of this.#distances.entries()) {
      this.#count(counts, i16x8.eq(distance, all(k, n + 1)));
    }
    const far = v128.and(distance, all(k, ~nearDistances & 0xffff));
    k.if(v128.any_true(far), () =>
      gather(k, bitsOf(k, i16x8.eq(far, none)), 0, this.#farther, [[distance, layout.farther]]),
    );
    for (const half of [0, 1] as const) this.#addMoves(a, b, half);
  }

  /** Four displacements, as fp32, and their squares, as fp64. */
  #addMoves(a: V128, b: V128, half: 0 | 1): void {
    const k = this.#k;
    const { i32x4, f32x4, f64x2 } = k;
    const zero = i32x4.constant(0);
    const order = [0, 1, 2, 3].flatMap((n) => [0, 1, 16, 17].map((byte) => byte + 2 * n + 8 * half));
    const numbers = (codes: V128) => k.i8x16.shuffle(zero, codes, order);
    const moves = f32x4.sub(numbers(b), numbers(a));
    // The displacement is exact or rounded to fp32; differences of two bf16 numbers near 1e-5 are exact.
    const large = f32x4.gt(f32x4.abs(moves), f32x4.constant(smallMove));
    k.assign(this.#largeMoves, i32x4.sub(this.#largeMoves, large));
    for (const pair of [0, 1]) {
      const double = promoteHalf(k, moves, pair);
      const lanes = this.#lanes[2 * half + pair];
      k.assign(lanes, f64x2.add(lanes, f64x2.mul(double, double)));
    }
  }

  /** The sum of the squares. */
  sum(): F64 {
    return sumOfLanes(this.#k, this.#lanes);
  }

  report(listed: I32): void {
    const k = this.#k;
    const { i32, i32x4 } = k;
    const none = i32.constant(0);
    const add = (offset: number, words: V128) => {
      const at = layout.report + offset;
      k.store("v128", i32x4.add(k.load("v128", none, at), words), none, at);
    };
    const changed = layout.report + report.changed;
    k.store("i32", i32.add(k.load("i32", none, changed), i32.shr_u(listed, 1)), none, changed);
    add(report.signFlips, i32x4.extadd_pairwise_i16x8_u(this.#signFlips));
    add(report.largeMoves, this.#largeMoves);
    for (const [n, counts] of this.#distances.entries()) {
      add(report.distances + vectorBytes * n, i32x4.extadd_pairwise_i16x8_u(counts));
    }
    k.loop(none, this.#farther, 2, (at) => {
      const distance = k.load("i32_16u", at, layout.farther);
      const wide = i32.sub(i32.constant(43), i32.clz(distance));
      const bin = i32.shl(i32.select(i32.lt_u(distance, firstWideDistance), distance, wide), 2);
      k.store("i32", i32.add(k.load("i32", bin, layout.bins), 1), bin, layout.bins);
    });
  }

  #magnitude(codes: V128): V128 {
    return this.#k.v128.and(codes, all(this.#k, 0x7fff));
  }

  /** Adds one where the mask is set: a block has no more than 2^9 elements in a lane. */
  #count(counts: V128, mask: V128): void {
    this.#k.assign(counts, this.#k.i16x8.sub(counts, mask));
  }
}

/** The largest fp32 number that is at most 1e-5, the tolerance of small-subnetworks. */
const smallMove = Math.fround(1e-5) <= 1e-5 ? Math.fround(1e-5) : Math.fround(1e-5 - 2 ** -41);
