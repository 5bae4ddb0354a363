import type { Lane } from "./lane.js";

/** Threefry2x32-20 of update/threefry.ts on lanes of counters. */

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
const parity = 0x1bd11bda;

export interface ThreefryKey<V> {
  readonly low: V;
  readonly high: V;
  readonly parity: V;
}

export function threefryKey<V>({ i32x4, v128 }: Lane<V>, low: V, high: V): ThreefryKey<V> {
  return { low, high, parity: v128.xor(v128.xor(low, high), i32x4.constant(parity)) };
}

export function threefry2x32<V>(
  { i32x4, v128 }: Lane<V>,
  key: ThreefryKey<V>,
  counter: readonly [V, V],
): readonly [V, V] {
  const schedule = [key.low, key.high, key.parity];
  let x0 = i32x4.add(counter[0], schedule[0]);
  let x1 = i32x4.add(counter[1], schedule[1]);
  for (let group = 0; group < 5; group++) {
    for (const rotation of rotations[group % 2]) {
      x0 = i32x4.add(x0, x1);
      x1 = v128.xor(v128.or(i32x4.shl(x1, rotation), i32x4.shr_u(x1, 32 - rotation)), x0);
    }
    x0 = i32x4.add(x0, schedule[(group + 1) % 3]);
    x1 = i32x4.add(i32x4.add(x1, schedule[(group + 2) % 3]), i32x4.constant(group + 1));
  }
  return [x0, x1];
}
