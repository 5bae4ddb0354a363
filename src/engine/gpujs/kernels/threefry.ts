import { blockLength } from "../../../lens/sum.js";
import type { Kernel } from "./kernel.js";

/**
 * update/threefry.ts on 16-bit halves, because fp32 holds neither 32-bit integers nor their sums. `^` on halves is
 * exact on backends with integers; for backends with floats only, the host provides the bits.
 */

const rotations = [13, 15, 26, 6, 17, 29, 16, 24];

/** x0 += x1, x1 = rotate(x1) ^ x0, on halves (a, b) and (c, d), high half first. */
function mix(rotation: number): string {
  // A rotation by 16 swaps the halves; the rest is below 16.
  const [high, low] = rotation >= 16 ? ["d", "c"] : ["c", "d"];
  const left = 2 ** (rotation % 16);
  const right = 2 ** (16 - (rotation % 16));
  return `
      sum = b + d;
      carry = Math.floor(sum * 0.0000152587890625);
      b = sum - carry * 65536;
      sum = a + c + carry;
      a = sum - Math.floor(sum * 0.0000152587890625) * 65536;
      tops = Math.floor(${high} / ${right});
      lowTops = Math.floor(${low} / ${right});
      sum = (${high} - tops * ${right}) * ${left} + lowTops;
      carry = (${low} - lowTops * ${right}) * ${left} + tops;
      c = sum ^ a;
      d = carry ^ b;`;
}

/** x0 += key word k, x1 += key word k + 1 and the number of the injection. */
function inject(count: number): string {
  const [first, second] = [count % 3, (count + 1) % 3];
  return `
      sum = b + k${first}low;
      carry = Math.floor(sum * 0.0000152587890625);
      b = sum - carry * 65536;
      sum = a + k${first}high + carry;
      a = sum - Math.floor(sum * 0.0000152587890625) * 65536;
      sum = d + k${second}low + ${count};
      carry = Math.floor(sum * 0.0000152587890625);
      d = sum - carry * 65536;
      sum = c + k${second}high + carry;
      c = sum - Math.floor(sum * 0.0000152587890625) * 65536;`;
}

const rounds = [0, 1, 2, 3, 4]
  .map(
    (group) =>
      rotations
        .slice((group % 2) * 4, (group % 2) * 4 + 4)
        .map(mix)
        .join("") + inject(group + 1),
  )
  .join("");

/** Numbers per block in `counters`; see {@link randomHalvesKernel}. */
export const counterLength = 9;

/**
 * Halves of `randomBits`. thread.x is the element of a block; thread.y is the row times `blocks` plus the block. Rows
 * alternate between high and low halves of each draw, beginning with `firstDraw`. For each block `counters` has the
 * halves of the three words of the key schedule, the halves of the low word of its first pair's index, and the rest of
 * that index, below 2^20.
 */
export const randomHalvesKernel: Kernel = {
  name: "random bits",
  functions: [],
  source: `function (counters, firstDraw, blocks) {
      const row = Math.floor((this.thread.y + 0.5) / blocks);
      const block = this.thread.y - row * blocks;
      const element = this.thread.x;
      const at = block * ${counterLength};
      const k0high = counters[at];
      const k0low = counters[at + 1];
      const k1high = counters[at + 2];
      const k1low = counters[at + 3];
      const k2high = counters[at + 4];
      const k2low = counters[at + 5];
      const half = Math.floor(element * 0.5);
      const draw = firstDraw + Math.floor(row * 0.5);
      let sum = counters[at + 7] + half;
      let carry = Math.floor(sum * 0.0000152587890625);
      let b = sum - carry * 65536;
      sum = counters[at + 6] + carry;
      carry = Math.floor(sum * 0.0000152587890625);
      let a = sum - carry * 65536;
      const top = counters[at + 8] + carry;
      let d = top - Math.floor(top * 0.0000152587890625) * 65536;
      let c = Math.floor(top * 0.0000152587890625) + draw * 16;
      let tops = 0;
      let lowTops = 0;
      sum = b + k0low;
      carry = Math.floor(sum * 0.0000152587890625);
      b = sum - carry * 65536;
      sum = a + k0high + carry;
      a = sum - Math.floor(sum * 0.0000152587890625) * 65536;
      sum = d + k1low;
      carry = Math.floor(sum * 0.0000152587890625);
      d = sum - carry * 65536;
      sum = c + k1high + carry;
      c = sum - Math.floor(sum * 0.0000152587890625) * 65536;
      ${rounds}
      let word = c;
      let low = d;
      if (element - 2 * half === 0) {
        word = a;
        low = b;
      }
      return row - 2 * Math.floor(row * 0.5) === 0 ? word : low;
    }`,
};

/**
 * Updates from a table of 2^k quantiles, selected by the leading bits of a word; `scale` is 2^(k - 16). Zero in the
 * padding of a block, from its `filled` on.
 */
export const drawnKernel: Kernel = {
  name: "drawn updates",
  functions: [],
  source: `function (table, halves, filled, scale) {
      const block = Math.floor(this.thread.x * ${1 / blockLength});
      const element = this.thread.x - block * ${blockLength};
      return element < filled[block] ? table[Math.floor(halves[this.thread.x] * scale)] : 0;
    }`,
};
