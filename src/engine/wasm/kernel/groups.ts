import { blockLength, laneCount } from "../../../lens/sum.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";

/** Kernels process weights in groups of eight, like sums: two vectors, or one byte of flags. */

export const vectorBytes = 16;
export const halves = [0, 1] as const;

/** Runs `body` for every group of `count` weights, with the addresses of the group and its flags at offset 0. */
export function forEachGroup(
  k: FunctionWriter,
  base: I32,
  from: I32,
  to: I32,
  body: (row: I32, flags: I32, i: I32) => void,
): void {
  k.loop(from, to, laneCount, (i) => {
    body(k.i32.add(base, k.i32.shl(i, 2)), k.i32.add(base, k.i32.shr_u(i, 3)), i);
  });
}

/** Runs `body` for every block of sums; the last one may be shorter. */
export function forEachBlock(k: FunctionWriter, count: I32, body: (from: I32, to: I32) => void): void {
  k.loop(k.i32.constant(0), count, blockLength, (from) => {
    const to = k.variable("i32");
    k.assign(to, k.i32.add(from, blockLength));
    k.if(k.i32.lt_u(count, to), () => k.assign(to, count));
    body(from, to);
  });
}

/** Both halves of a row's group. */
export function loadGroup(k: FunctionWriter, row: I32, offset: number): readonly [V128, V128] {
  return [k.load("v128", row, offset), k.load("v128", row, offset + vectorBytes)];
}
