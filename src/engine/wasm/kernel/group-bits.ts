import { type ThreefryKey, threefry2x32 } from "../../lane/threefry.js";
import type { FunctionWriter, V128 } from "../assembler/function.js";

/**
 * The random bits of a group of eight elements, for each draw in turn: those of elements 0 to 3, then of 4 to 7.
 * Elements 2i and 2i + 1 take one word each of one block of the generator.
 *
 * @param pair the index of the group's first pair, in two words; the lower one is a multiple of four.
 */
export class GroupBits {
  readonly #draws: (readonly [V128, V128])[] = [];

  constructor(
    readonly k: FunctionWriter,
    readonly key: ThreefryKey<V128>,
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
