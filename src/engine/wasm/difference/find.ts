import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { groupBytes, groupEntry, groupLength, layout, vectorBytes } from "./layout.js";
import type { Range } from "./range.js";

/** The list in memory of a block's differing elements, and the addresses of their numbers. */
export interface Found {
  readonly before: I32;
  /** The offset from before to after, in bytes. */
  readonly toAfter: I32;
  /** The current length of the lists, in bytes. */
  readonly listed: I32;
}

/**
 * Lists differences in whole groups for few differences: differing groups are listed without a branch, which would
 * often be mispredicted; then each of their differing elements is copied.
 */
export function findFew(k: FunctionWriter, { before, toAfter, listed }: Found, end: I32, range: Range): void {
  const { i32 } = k;
  const groups = k.variable("i32");
  k.assign(groups, i32.constant(layout.groups));
  k.loop(before, end, groupBytes, (at) => {
    const [low, high] = [0, 2].map((n) => differing(k, at, toAfter, n, range));
    const bits = i32.or(low.bits, i32.shl(high.bits, 16));
    k.store("i32", at, groups);
    k.store("i32", bits, groups, 4);
    k.assign(groups, i32.add(groups, i32.shl(i32.lt_u(i32.constant(0), bits), Math.log2(groupEntry))));
  });
  k.loop(i32.constant(layout.groups), groups, groupEntry, (entry) => {
    const at = k.load("i32", entry);
    const bits = k.variable("i32");
    k.assign(bits, k.load("i32", entry, 4));
    k.repeat(() => {
      const element = i32.add(at, i32.shl(i32.ctz(bits), 1));
      k.store("i32_16", k.load("i32_16u", element), listed, layout.before);
      k.store("i32_16", k.load("i32_16u", i32.add(element, toAfter)), listed, layout.after);
      k.assign(listed, i32.add(listed, 2));
      k.assign(bits, i32.and(bits, i32.sub(bits, 1)));
      return bits;
    });
  });
}

/** Lists differences in whole groups for many differences: processes every vector. */
export function findMany(k: FunctionWriter, found: Found, end: I32, range: Range): void {
  k.loop(found.before, end, groupBytes, (at) => {
    for (let n = 0; n < groupLength; n += 2) {
      const { bits, pairs } = differing(k, at, found.toAfter, n, range);
      for (const [half, pair] of pairs.entries()) list(k, found.listed, bits, half, pair);
    }
  });
}

/** Lists differences in the vectors after the last whole group. */
export function findRest(k: FunctionWriter, found: Found, start: I32, end: I32, range: Range): void {
  k.loop(start, end, vectorBytes, (at) => {
    const a = k.load("v128", at);
    const b = k.load("v128", k.i32.add(at, found.toAfter));
    range.include(a);
    list(k, found.listed, bitsOf(k, k.i16x8.eq(a, b)), 0, [a, b]);
  });
}

/** Two vectors from the n-th of a group on, of both sides, and 16 bits, set where their elements differ. */
function differing(k: FunctionWriter, at: I32, toAfter: I32, n: number, range: Range) {
  const pointer = k.i32.add(at, toAfter);
  const pairs = [n, n + 1].map((n) => {
    const a = k.load("v128", at, vectorBytes * n);
    range.include(a);
    return [a, k.load("v128", pointer, vectorBytes * n)] as const;
  });
  const [low, high] = pairs.map(([a, b]) => k.i16x8.eq(a, b));
  return { bits: bitsOf(k, low, high), pairs };
}

/**
 * 16 bits, set where the lanes of two masks are zero. i16x8.bitmask would do for one mask, but V8 makes it wait for the
 * last user of its scratch register, here the swizzle of the previous vector, which takes three times as long
 * (measured).
 */
export function bitsOf(k: FunctionWriter, low: V128, high = low): I32 {
  return k.i32.xor(k.i8x16.bitmask(k.i8x16.narrow_i16x8_s(low, high)), 0xffff);
}

function list(k: FunctionWriter, listed: I32, bits: I32, half: number, [a, b]: readonly [V128, V128]): void {
  gather(k, bits, half, listed, [
    [a, layout.before],
    [b, layout.after],
  ]);
}

/**
 * Appends the elements whose bit is set, in the lower or upper eight of 16, to the lists, and pads the last vector with
 * zeros.
 */
export function gather(
  k: FunctionWriter,
  bits: I32,
  half: number,
  listed: I32,
  lists: readonly (readonly [V128, number])[],
): void {
  const { i32, i8x16 } = k;
  const row = i32.and(half === 0 ? i32.shl(bits, 4) : i32.shr_u(bits, 4), 0xff0);
  const order = k.load("v128", row, layout.gathers);
  for (const [codes, at] of lists) k.store("v128", i8x16.swizzle(codes, order), listed, at);
  k.assign(listed, i32.add(listed, i32.shl(i32.popcnt(row), 1)));
}
