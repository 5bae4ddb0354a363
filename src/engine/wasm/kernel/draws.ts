import type { Format } from "../../../format/format.js";
import { quantileDraw } from "../../../update/quantiles.js";
import { between, cellOf, weightOf } from "../../lane/draws.js";
import { threefryKey } from "../../lane/threefry.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import type { Layout } from "../layout.js";
import { GroupBits } from "./group-bits.js";
import { forEachGroup, halves, vectorBytes } from "./groups.js";

/** Random numbers as in update/distribution.ts, quantiles.ts and weight-draws.ts, eight elements at a time. */

/** Parameters of kernels that draw: base of the worker's memory, elements, key, index of the first pair. */
export const drawParameters = ["i32", "i32", "i32", "i32", "i32", "i32"] as const;

/** Runs `body` for every group with its random bits; the row's address is at offset 0. */
export function forEachDrawnGroup(
  k: FunctionWriter,
  draw: number,
  body: (row: I32, bits: readonly [V128, V128], base: I32) => void,
): void {
  const [base, count, keyLow, keyHigh, pairLow, pairHigh] = drawParameters.map((type, i) =>
    k.parameter(i, type),
  );
  const { i32, i32x4 } = k;
  const key = threefryKey(k, i32x4.splat(keyLow), i32x4.splat(keyHigh));
  const pairHighs = i32x4.splat(pairHigh);
  forEachGroup(k, base, i32.constant(0), count, (row, _, i) => {
    const pairs = i32x4.add(i32x4.splat(i32.add(pairLow, i32.shr_u(i, 1))), i32x4.constants(0, 1, 2, 3));
    const bits = new GroupBits(k, key, [pairs, pairHighs]);
    body(row, [bits.draw(0, draw), bits.draw(1, draw)], base);
  });
}

/** The numbers drawn by four random words from a distribution whose knots are at `knots` from the base. */
export function drawFrom(k: FunctionWriter, base: I32, knots: number, bits: V128): V128 {
  const { i8x16 } = k;
  const cells = cellOf(k, bits);
  // The lower and upper knot of two cells per vector.
  const pairs = [0, 2].map((lane) => {
    const first = k.load("v128_64", addressOf(k, base, cells, lane), knots);
    return k.loadLane("v128_64", first, 1, addressOf(k, base, cells, lane + 1), knots);
  });
  const words = (from: number) =>
    [from, from + 8, from + 16, from + 24].flatMap((byte) => [byte, byte + 1, byte + 2, byte + 3]);
  const low = i8x16.shuffle(pairs[0], pairs[1], words(0));
  const high = i8x16.shuffle(pairs[0], pairs[1], words(4));
  return between(k, bits, low, high);
}

/** The body of `weights(..., mean, sigma)`, the last two as fp32 bits: draws the given weights. */
export function writeDrawnWeights(k: FunctionWriter, knots: number, format: Format, layout: Layout): void {
  const [mean, sigma] = [6, 7].map((i) => k.i32x4.splat(k.parameter(i, "i32")));
  forEachDrawnGroup(k, 0, (row, bits, base) => {
    for (const half of halves) {
      const z = drawFrom(k, base, knots, bits[half]);
      k.store("v128", weightOf(k, z, mean, sigma, format), row, layout.given + half * vectorBytes);
    }
  });
}

/** The body of `draw(...)`: draws updates from a table of 2^k quantiles at `table` from the base. */
export function writeDraw(k: FunctionWriter, table: number, entries: number, layout: Layout): void {
  const { i32x4 } = k;
  forEachDrawnGroup(k, quantileDraw, (row, bits, base) => {
    for (const half of halves) {
      const entry = entries === 1 ? i32x4.constant(0) : i32x4.shr_u(bits[half], 32 - Math.log2(entries));
      let updates = k.load("v128_32_zero", addressOf(k, base, entry, 0), table);
      for (const lane of [1, 2, 3] as const) {
        updates = k.loadLane("v128_32", updates, lane, addressOf(k, base, entry, lane), table);
      }
      k.store("v128", updates, row, layout.updates + half * vectorBytes);
    }
  });
}

/** The address of the word whose index is in a lane, relative to its table. */
function addressOf(k: FunctionWriter, base: I32, indices: V128, lane: number): I32 {
  return k.i32.add(base, k.i32.shl(k.i32x4.lane(indices, lane), 2));
}
