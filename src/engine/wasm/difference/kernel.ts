import { blockLength } from "../../../lens/sum.js";
import { firstWideDistance } from "../../../lens/ulp-distance.js";
import type { F64, FunctionWriter, I32, V128 } from "../assembler/function.js";
import { type MemorySize, moduleBytes } from "../assembler/module.js";
import { promoteHalf } from "../kernel/lanes.js";

/** Bytes of a block. */
export const blockBytes = 2 * blockLength;

/** Blocks that one call may compare. */
export const mostBlocks = 32;

/** Larger distances are not counted in vectors, but one after the other. */
export const nearDistances = 3;

const vectorBytes = 16;

/** Vectors that one branch, or one entry of a list, is for. */
const groupLength = 4;
const groupBytes = groupLength * vectorBytes;

/** What the kernel tells of the blocks of a call, in the words of vectors that have to be added up. */
export const report = {
  changed: 0,
  signFlips: 16,
  largeMoves: 32,
  /** Of distance 1, 2 and 3. */
  distances: 48,
} as const;
export const reportBytes = report.distances + 16 * nearDistances;

/** A list of elements has room for a vector more, of zeros that fill up the last. */
const listBytes = blockBytes + vectorBytes;

/** Where the kernel keeps what, in bytes. */
export const layout = (() => {
  let end = 0;
  const room = (bytes: number) => {
    const at = end;
    end += Math.ceil(bytes / vectorBytes) * vectorBytes;
    return at;
  };
  return {
    report: room(reportBytes),
    /** The sum of each block in fp64; NaN, and nothing of it in the report, if it was left. */
    sums: room(8 * mostBlocks),
    /** For eight bits, set where elements are the same: the bytes of the others. */
    gathers: room(vectorBytes * 256),
    /** Where in the block a group differs. */
    groups: room(4 * (blockBytes / groupBytes)),
    before: room(listBytes),
    after: room(listBytes),
    farther: room(listBytes),
    /** Elements by the bin of their distance and one, from distance 4 on. */
    bins: room(4 * 32),
    /** Blocks that lie elsewhere are copied to here. */
    scratch: [room(mostBlocks * blockBytes), room(mostBlocks * blockBytes)],
    bytes: end,
  } as const;
})();

/** The bytes of `layout.gathers`. */
export function gathers(): Uint8Array {
  const rows = Array.from({ length: 256 }, (_, same) => {
    const differing = [0, 1, 2, 3, 4, 5, 6, 7].filter((lane) => (same & (1 << lane)) === 0);
    const bytes = differing.flatMap((lane) => [2 * lane, 2 * lane + 1]);
    // Beyond the vector there are zeros.
    return Array.from({ length: vectorBytes }, (_, i) => bytes[i] ?? 0xff);
  });
  return Uint8Array.from(rows.flat());
}

/**
 * A module with `compare(before, after, bytes)`, of whole blocks and a last one of whole vectors, and with `block`, its
 * part. The report is added to; so are counts.
 */
export function differenceModule(memory: MemorySize): Uint8Array<ArrayBuffer> {
  return moduleBytes(memory, [
    { name: "compare", parameters: ["i32", "i32", "i32"], write: writeCompare },
    { name: "block", parameters: ["i32", "i32", "i32", "i32"], write: writeBlock },
  ]);
}

function writeCompare(k: FunctionWriter): void {
  const { i32 } = k;
  const [before, after, bytes] = [0, 1, 2].map((n) => k.parameter(n, "i32"));
  const whole = i32.and(bytes, -blockBytes);
  const sumOf = (at: I32) => i32.add(i32.shr_u(at, Math.log2(blockBytes / 8)), layout.sums);
  const size = i32.constant(blockBytes);
  k.loop(i32.constant(0), whole, blockBytes, (at) => {
    k.call("block", i32.add(before, at), i32.add(after, at), size, sumOf(at));
  });
  const rest = i32.sub(bytes, whole);
  k.if(rest, () => k.call("block", i32.add(before, whole), i32.add(after, whole), rest, sumOf(whole)));
}

/**
 * Compares a block in three passes, so that no branch depends on where its changes lie: groups that differ are listed;
 * their elements that differ are gathered; and those are measured, eight at a time. Leaves a block that has NaN, Inf,
 * a displacement beyond fp32, or zeros that differ by their sign.
 */
function writeBlock(k: FunctionWriter): void {
  const { i32, v128 } = k;
  const [before, after, bytes, sum] = [0, 1, 2, 3].map((n) => k.parameter(n, "i32"));
  const range = new Range(k);
  const toAfter = i32.sub(after, before);
  const grouped = i32.add(before, i32.and(bytes, -groupBytes));

  const groups = k.variable("i32");
  k.assign(groups, i32.constant(layout.groups));
  k.loop(before, grouped, groupBytes, (at) => {
    const pointer = i32.add(at, toAfter);
    const differ = Array.from({ length: groupLength }, (_, n) => {
      const a = k.load("v128", at, vectorBytes * n);
      range.include(a);
      return v128.xor(a, k.load("v128", pointer, vectorBytes * n));
    });
    k.store("i32", at, groups);
    const any = v128.any_true(differ.reduce((all, vector) => v128.or(all, vector)));
    k.assign(groups, i32.add(groups, i32.shl(any, 2)));
  });

  const listed = k.variable("i32");
  const list = (at: I32, offset: number, count: number) => {
    const pairs = Array.from({ length: count }, (_, n) => {
      const before = k.load("v128", at, offset + vectorBytes * n);
      return [before, k.load("v128", i32.add(at, toAfter), offset + vectorBytes * n)] as const;
    });
    const masks = bitsOf(
      k,
      pairs.map(([a, b]) => k.i16x8.eq(a, b)),
    );
    for (const [n, [a, b]] of pairs.entries()) {
      gather(k, masks[n], listed, [
        [a, layout.before],
        [b, layout.after],
      ]);
    }
  };
  k.loop(i32.constant(layout.groups), groups, 4, (entry) => {
    const at = k.load("i32", entry);
    for (let n = 0; n < groupLength; n += 2) list(at, vectorBytes * n, 2);
  });
  k.loop(grouped, i32.add(before, bytes), vectorBytes, (at) => {
    range.include(k.load("v128", at));
    list(at, 0, 1);
  });

  const measures = new Measures(k, range);
  // They fill up the last vector.
  const zeros = k.i32x4.constant(0);
  k.store("v128", zeros, listed, layout.before);
  k.store("v128", zeros, listed, layout.after);
  k.loop(i32.constant(0), listed, vectorBytes, (at) => measures.measure(at));

  const total = k.i64.reinterpret(measures.sum());
  const isBad = v128.any_true(v128.or(range.outside(), measures.zeros));
  const finite = i32.lt_u(i32.wrap(k.i64.shr_u(total, 32)), 0x7ff0_0000);
  k.store("i64", total, sum);
  k.if(
    i32.lt_u(isBad, finite),
    () => k.if(listed, () => measures.report(listed)),
    () => k.store("i32", i32.constant(-1), sum, 4),
  );
}

/**
 * The masks of one or two vectors as eight bits each. i16x8.bitmask would do, but V8 makes it wait for whatever used
 * its scratch register last, here the swizzle of the vector before: that takes three times as long (measured).
 */
function bitsOf(k: FunctionWriter, masks: readonly V128[]): I32[] {
  const bits = k.i8x16.bitmask(k.i8x16.narrow_i16x8_s(masks[0], masks[masks.length - 1]));
  return [k.i32.and(bits, 0xff), k.i32.shr_u(bits, 8)];
}

/** Appends the elements whose bit is not set to lists; what is left of the last vector becomes zeros. */
function gather(
  k: FunctionWriter,
  bits: I32,
  listed: I32,
  lists: readonly (readonly [V128, number])[],
): void {
  const { i32, i8x16 } = k;
  const order = k.load("v128", i32.shl(bits, 4), layout.gathers);
  for (const [codes, at] of lists) k.store("v128", i8x16.swizzle(codes, order), listed, at);
  k.assign(listed, i32.sub(i32.add(listed, vectorBytes), i32.shl(i32.popcnt(bits), 1)));
}

/** Whether all of some codes are of finite numbers. */
class Range {
  readonly #k: FunctionWriter;
  readonly #positive: V128;
  readonly #negative: V128;

  constructor(k: FunctionWriter) {
    this.#k = k;
    [this.#positive, this.#negative] = [k.variable("v128"), k.variable("v128")];
  }

  /** A code with the sign bit is the smaller one as a signed number, and the larger one as an unsigned number. */
  include(codes: V128): void {
    const k = this.#k;
    k.assign(this.#positive, k.i16x8.max_s(this.#positive, codes));
    k.assign(this.#negative, k.i16x8.max_u(this.#negative, codes));
  }

  /** Has bits set if a code is NaN or Inf. */
  outside(): V128 {
    const { v128, i16x8 } = this.#k;
    const beyond = (codes: V128, largest: number) => i16x8.gt_u(codes, all(this.#k, largest));
    return v128.or(beyond(this.#positive, 0x7f7f), beyond(this.#negative, 0xff7f));
  }
}

/** What is found of gathered elements, in locals. */
class Measures {
  readonly #k: FunctionWriter;
  readonly #range: Range;
  readonly #signFlips: V128;
  readonly #largeMoves: V128;
  readonly #distances: readonly V128[];
  readonly #lanes: readonly V128[];
  readonly #farther: I32;
  /** Has bits set if two elements are both zero. */
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

  /** Measures a vector of the lists; the zeros that fill it up add nothing. */
  measure(at: I32): void {
    const k = this.#k;
    const { v128, i16x8 } = k;
    const [a, b] = [k.load("v128", at, layout.before), k.load("v128", at, layout.after)];
    this.#range.include(b);
    const distance = k.variable("v128");
    k.assign(distance, i16x8.sub(i16x8.max_u(a, b), i16x8.min_u(a, b)));
    const differ = v128.xor(a, b);
    k.if(i16x8.bitmask(differ), () => {
      const otherSign = i16x8.shr_s(differ, 15);
      const [from, to] = [this.#magnitude(a), this.#magnitude(b)];
      const none = all(k, 0);
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
      gather(k, bitsOf(k, [i16x8.eq(far, all(k, 0))])[0], this.#farther, [[distance, layout.farther]]),
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
    // The displacement is exact or rounded to fp32; next to 1e-5 no difference of two bf16 numbers is rounded.
    const large = f32x4.gt(f32x4.abs(moves), f32x4.constant(smallMove));
    k.assign(this.#largeMoves, i32x4.sub(this.#largeMoves, large));
    for (const pair of [0, 1]) {
      const double = promoteHalf(k, moves, pair);
      const lanes = this.#lanes[2 * half + pair];
      k.assign(lanes, f64x2.add(lanes, f64x2.mul(double, double)));
    }
  }

  /** The sum of the lanes as `sumOfLanes` has it. */
  sum(): F64 {
    const k = this.#k;
    const add = (a: F64, b: F64) => k.f64.add(a, b);
    const [a, b, c, d] = this.#lanes.map((pair) => add(k.f64x2.lane(pair, 0), k.f64x2.lane(pair, 1)));
    return add(add(a, b), add(c, d));
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

function all(k: FunctionWriter, code: number): V128 {
  return k.i32x4.constant(code * 0x10001);
}

/** The largest fp32 number that is at most 1e-5, the tolerance of small-subnetworks. */
const smallMove = Math.fround(1e-5) <= 1e-5 ? Math.fround(1e-5) : Math.fround(1e-5 - 2 ** -41);
