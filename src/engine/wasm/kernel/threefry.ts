import type { FunctionWriter, I32, V128 } from "../assembler/function.js";

/** Threefry2x32-20 as update/threefry.ts has it, on four counters. */

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
const parity = 0x1bd11bda;

export interface ThreefryKey {
  readonly low: V128;
  readonly high: V128;
  readonly parity: V128;
}

export function threefryKey(k: FunctionWriter, low: I32, high: I32): ThreefryKey {
  const { i32x4, v128 } = k;
  const [a, b] = [i32x4.splat(low), i32x4.splat(high)];
  return { low: a, high: b, parity: v128.xor(v128.xor(a, b), i32x4.constant(parity)) };
}

export function threefry2x32(
  k: FunctionWriter,
  key: ThreefryKey,
  counter: readonly [V128, V128],
): readonly [V128, V128] {
  const { i32x4, v128 } = k;
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

/**
 * The random bits of a group of eight elements: of elements 0 to 3 and of 4 to 7, for each draw in turn. Elements 2i
 * and 2i + 1 share one block of the generator, a word each.
 *
 * @param pair index of the first pair of the group, in two words; the lower one is a multiple of four.
 */
export class GroupBits {
  readonly #draws: (readonly [V128, V128])[] = [];

  constructor(
    readonly k: FunctionWriter,
    readonly key: ThreefryKey,
    readonly pair: readonly [V128, V128],
  ) {}

  draw(half: number, draw: number): V128 {
    const { i32x4, i8x16 } = this.k;
    if (this.#draws[draw] === undefined) {
      const counter = [this.pair[0], i32x4.add(this.pair[1], i32x4.constant(draw * 2 ** 20))] as const;
      const [even, odd] = threefry2x32(this.k, this.key, counter);
      const interleave = (from: number) =>
        i8x16.shuffle(
          even,
          odd,
          [from, 16 + from, from + 4, 20 + from].flatMap((first) => [first, first + 1, first + 2, first + 3]),
        );
      this.#draws[draw] = [interleave(0), interleave(8)];
    }
    return this.#draws[draw][half];
  }
}
