import type { BlockSettings } from "../../../update/block-settings.js";
import { laneBlockSchemes } from "../../lane/block-scheme.js";
import { magnitude } from "../../lane/numbers.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import type { CaseLayout, Layout } from "../layout.js";
import { forEachGroup, loadGroup, vectorBytes } from "./groups.js";

/**
 * The largest magnitudes of blocks, from which scales are computed. A row has 32 bits for each group of eight
 * weights, the same for all groups of a block. As integers, magnitudes have the order of their numbers, with NaN
 * the largest.
 */

/** Parameters of `locate`: see {@link writeLocate}. */
export const locateParameters = ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"] as const;

/** The address of a group in a row of 32 bits per group, at offset 0. */
export function groupAddress(k: FunctionWriter, base: I32, i: I32): I32 {
  return k.i32.add(base, k.i32.shr_u(i, 1));
}

/** Runs `body` for every four groups of `count` weights, with the address of their row at offset 0. */
export function forEachFourGroups(
  k: FunctionWriter,
  base: I32,
  count: I32,
  body: (groups: I32) => void,
): void {
  k.loop(k.i32.constant(0), count, 32, (i) => body(groupAddress(k, base, i)));
}

/**
 * The body of `locate(base, count, width, height, across, column, row, bandRow, block)`: finds the block of each
 * group, and the first group of each block, as in BlockLayout of format/block. The last four parameters locate the
 * first group: its column, its row in the matrix and in the band of blocks, and the first block of the band;
 * `across` is the number of blocks per band. Valid if rows are multiples of eight.
 */
export function writeLocate(k: FunctionWriter, { blocks }: BlockSettings, { shared }: CaseLayout): void {
  const { i32 } = k;
  const [base, count, width, height, across, ...first] = locateParameters.map((type, i) =>
    k.parameter(i, type),
  );
  const [column, row, bandRow, band] = first.map((value) => k.variableOf(value));
  const zero = i32.constant(0);
  // No block begins after the last group, in the same vector of four.
  for (let after = 0; after < 3; after++) {
    k.store("i32", zero, groupAddress(k, base, count), shared!.firsts + 4 * after);
  }
  k.loop(zero, count, 8, (i) => {
    const group = groupAddress(k, base, i);
    k.store("i32", i32.add(band, i32.shr_u(column, Math.log2(blocks.columns))), group, shared!.blocks);
    const place = i32.or(bandRow, i32.and(column, blocks.columns - 1));
    k.store("i32", i32.select(place, zero, i32.constant(-1)), group, shared!.firsts);
    k.assign(column, i32.add(column, 8));
    const isFrom = (value: I32, end: I32) => i32.xor(i32.lt_u(value, end), 1);
    k.if(isFrom(column, width), () => {
      k.assign(column, zero);
      k.assign(row, i32.add(row, 1));
      k.assign(bandRow, i32.add(bandRow, 1));
      const matrixEnds = isFrom(row, height);
      const bandEnds = i32.or(matrixEnds, isFrom(bandRow, i32.constant(blocks.rows)));
      k.assign(band, i32.add(band, i32.select(bandEnds, across, zero)));
      k.assign(bandRow, i32.select(bandEnds, zero, bandRow));
      k.assign(row, i32.select(matrixEnds, zero, row));
    });
  });
}

/** The body of `magnitudes(base, count)`: the largest magnitude of each group of the fp32 run. */
export function writeMagnitudes(k: FunctionWriter, { now, magnitudes }: Layout): void {
  const [base, count] = [k.parameter(0, "i32"), k.parameter(1, "i32")];
  forEachGroup(k, base, k.i32.constant(0), count, (row, _, i) => {
    const [low, high] = loadGroup(k, row, now).map((numbers) => magnitude(k, numbers));
    const largest = acrossLanes(k, k.i32x4.max_s(low, high));
    k.store("i32", k.i32x4.lane(largest, 0), groupAddress(k, base, i), magnitudes);
  });
}

/**
 * The body of `beginLargest(base, count)`, or of `largest(base, count)` before a step: the largest magnitudes of
 * the numbers to quantize, for blocks along rows of whole blocks. Rounding through a format can follow, because it
 * keeps the order of magnitudes.
 */
export function writeLargest(
  k: FunctionWriter,
  settings: BlockSettings,
  { given, updates }: Layout,
  { weights, carriers, shared }: CaseLayout,
  isBegin: boolean,
): void {
  const { i32, i32x4 } = k;
  const [base, count] = [k.parameter(0, "i32"), k.parameter(1, "i32")];
  const { columns } = settings.blocks;
  const { proposed } = laneBlockSchemes[settings.scheme];
  k.loop(i32.constant(0), count, columns, (first) => {
    const row = i32.add(base, i32.shl(first, 2));
    const at = (offset: number) => k.load("v128", row, offset);
    let largest = i32x4.constant(0);
    for (let offset = 0; offset < 4 * columns; offset += vectorBytes) {
      const state = () => ({
        weight: at(weights + offset),
        carrier: carriers === null ? null : at(carriers + offset),
      });
      const number = isBegin
        ? at(given + offset)
        : proposed(k, state(), at(updates + offset), settings.momentum ?? 0);
      largest = i32x4.max_s(largest, magnitude(k, number));
    }
    const word = i32x4.lane(acrossLanes(k, largest), 0);
    const group = groupAddress(k, base, first);
    for (let i = 0; i < columns / 8; i++) k.store("i32", word, group, shared!.largest + 4 * i);
  });
}

/** The largest lane, in every lane. */
function acrossLanes(k: FunctionWriter, lanes: V128): V128 {
  let largest = lanes;
  for (const by of [8, 4]) {
    const turned = Array.from({ length: 16 }, (_, byte) => (byte + by) % 16);
    largest = k.i32x4.max_s(largest, k.i8x16.shuffle(largest, largest, turned));
  }
  return largest;
}
