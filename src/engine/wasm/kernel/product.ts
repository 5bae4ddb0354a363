import type { Format } from "../../../format/format.js";
import { round } from "../../lane/round.js";
import type { FunctionWriter, Type, V128 } from "../assembler/function.js";
import { vectorBytes } from "./groups.js";

export const productParameters = ["i32", "i32", "i32", "i32", "i32", "i32", "i32"] as const satisfies Type[];

/** Columns computed at once: eight sums of two. Rows are rounded up to whole groups of them. */
export const productColumns = 16;

const pairs = productColumns / 2;
const low = Array.from({ length: 16 }, (_, byte) => (byte < 8 ? byte : byte + 8));

/**
 * The body of `product(right, left, leftEnd, into, count, stride, scale)`: elements of one row of a `LowRank`, as in
 * lens/run/low-rank.ts. The row of the left factor is from `left` to `leftEnd`; `right` is the address of the first
 * column in the first row of the right factor, whose rows are `stride` bytes apart. All factors and the number at
 * `scale` are fp64. Writes fp32 to `into`, in whole groups of {@link productColumns}.
 *
 * @param rounded as LowRank.rounded.
 */
export function writeProduct(k: FunctionWriter, rounded: Format | undefined): void {
  const { f64x2, i32, i8x16 } = k;
  const finish = (x: V128) =>
    rounded === undefined
      ? x
      : round(k, x, { format: rounded, rounding: "nearest-even", overflow: "ieee" }, () =>
          k.i32x4.constant(0),
        );
  const [right, left, leftEnd, into, count, stride, scale] = productParameters.map((type, i) =>
    k.parameter(i, type),
  );
  const by = k.load("v128_64_splat", scale);
  const sums = Array.from({ length: pairs }, () => k.variable("v128"));
  const column = k.variable("i32");
  k.loop(i32.constant(0), count, productColumns, (j) => {
    for (const sum of sums) k.assign(sum, f64x2.constant(0));
    k.assign(column, i32.add(right, i32.shl(j, 3)));
    k.loop(left, leftEnd, 8, (element) => {
      const factor = k.load("v128_64_splat", element);
      for (const [pair, sum] of sums.entries()) {
        k.assign(sum, f64x2.add(sum, f64x2.mul(factor, k.load("v128", column, pair * vectorBytes))));
      }
      k.assign(column, i32.add(column, stride));
    });
    const address = i32.add(into, i32.shl(j, 2));
    for (let pair = 0; pair < pairs; pair += 2) {
      const [a, b] = [sums[pair], sums[pair + 1]].map((sum) => k.f32x4.demote_f64x2_zero(f64x2.mul(sum, by)));
      k.store("v128", finish(i8x16.shuffle(a, b, low)), address, (pair / 2) * vectorBytes);
    }
  });
}
