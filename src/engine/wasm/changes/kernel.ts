import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { moduleBytes, pageBytes } from "../assembler/module.js";
import { memorySize, ownPages } from "../difference/comparison.js";

const vectorBytes = 16;

/** Codes counted at once; the caller counts the rest of a row after the last whole group. */
export const groupLength = 16;

const groupBytes = 2 * groupLength;

/**
 * Codes of a piece on each side, for sums at least a row: they stay in the cache between reading and counting. A multiple of
 * `blockLength`.
 */
export const tileLength = 2 ** 17;

/** The maximum number of columns: lanes count the changes of a row in 16 bits, and sums of shares in 32. */
export const mostColumns = 2 ** 18;

/** A row has at least one group. The first may have begun before the piece. */
const mostTileRows = tileLength / groupLength + 1;

/** Rows after which the 16-bit column counts must be read and reset. */
export const mostRows = 2 ** 16 - 1;

/** Rows whose shares are summed together: by column in 16 bits, which are widened once. */
const rowsAtOnce = 4;

/** A share of 1 as an integer, such that the sum over so many rows of a column fits in 16 bits. */
export const wholeShare = 2 ** 14 - 1;

/** The number of sizes looked up in vectors. */
export const windowLength = 64;

const tableLength = vectorBytes;

const rowBytes = 2 * mostColumns;

const sizes = {
  /** Counts by magnitude: of all weights, and of those that changed. */
  all: 4 * 2 ** 15,
  changed: 4 * 2 ** 15,
  /** The share of each size that changed, in units of 1 / {@link wholeShare}. */
  shares: 4 * 2 ** 10,
  /** The first size of the window, in every 16-bit lane; the lower and upper bytes of the window's shares. */
  window: vectorBytes,
  low: windowLength,
  high: windowLength,
  /** For each set of eight lanes, the indices of their bytes. */
  gathers: 256 * vectorBytes,
  /** The groups of a row with a change. */
  groups: 4 * (mostColumns / groupLength) + vectorBytes,
  /** The codes of a row that changed. */
  before: rowBytes + vectorBytes,
  after: rowBytes + vectorBytes,
  /** The results of a row, and of all rows. */
  report: 80,
  /** For each row of a tile: changes (a word), or sums of shares by lane. */
  rows: vectorBytes * mostTileRows,
  columns: 2 * mostColumns,
  columnShares: 4 * mostColumns,
  /** Before each piece there is room for the row that has not ended. */
  baseBegun: rowBytes,
  base: rowBytes,
  tunedBegun: rowBytes,
  tuned: 2 * tileLength,
} as const;

/** The addresses, after the memory of the kernel of differences: both read the same pieces. */
export const layout = (() => {
  let at = ownPages * pageBytes;
  const places = Object.entries(sizes).map(([name, size]) => {
    at += size;
    return [name, at - size] as const;
  });
  return { ...(Object.fromEntries(places) as Record<keyof typeof sizes, number>), bytes: at };
})();

/**
 * Offsets in the report. For a row: the sum of squares (two fp64) and the number of changes. For all rows: the largest changed
 * magnitude by lane, doubled, and the sum of squares (in both halves).
 */
export const report = { squares: 0, changed: 16, largest: 32, allSquares: 48 } as const;

/**
 * Counts bf16 codes in whole groups of a row. Each row has `bytes` bytes to count and begins `rowBytes` after the
 * one before it.
 *
 * - `countRows(base, tuned, rows, rowBytes, bytes, columns)`: counts by magnitude, changes by column (16 bits) and by
 *   row, and the report.
 * - `sumRows(base, rows, rowBytes, bytes, columns)`: sums the shares of sizes by column and by row.
 */
export function changesModule(): Uint8Array<ArrayBuffer> {
  return moduleBytes(memorySize, [
    { name: "count", parameters: ["i32", "i32", "i32", "i32"], write: count },
    ...[1, rowsAtOnce].map((rows) => ({
      name: sumOf(rows),
      parameters: ["i32", "i32", "i32", "i32", "i32"] as const,
      write: (k: FunctionWriter) => sum(k, rows),
    })),
    { name: "countRows", parameters: ["i32", "i32", "i32", "i32", "i32", "i32"], write: countRows },
    { name: "sumRows", parameters: ["i32", "i32", "i32", "i32", "i32"], write: sumRows },
  ]);
}

function countRows(k: FunctionWriter): void {
  const { i32, f64x2 } = k;
  const [base, tuned, rows, rowBytes, bytes, columns] = [0, 1, 2, 3, 4, 5].map((i) => k.parameter(i, "i32"));
  const toTuned = i32.sub(tuned, base);
  const at = k.variableOf(base);
  const none = i32.constant(0);
  k.loop(none, i32.shl(rows, 2), 4, (row) => {
    k.call("count", at, i32.add(at, toTuned), i32.add(at, bytes), columns);
    k.store("i32", k.load("i32", none, layout.report + report.changed), row, layout.rows);
    const squares = k.load("v128", none, layout.report + report.squares);
    const ofAll = layout.report + report.allSquares;
    const ofRow = f64x2.add(squares, halvesSwapped(k, squares));
    k.store("v128", f64x2.add(k.load("v128", none, ofAll), ofRow), none, ofAll);
    k.assign(at, i32.add(at, rowBytes));
  });
}

function sumRows(k: FunctionWriter): void {
  const { i32 } = k;
  const [base, rows, rowBytes, bytes, columns] = [0, 1, 2, 3, 4].map((i) => k.parameter(i, "i32"));
  const at = k.variableOf(base);
  const together = i32.and(rows, -rowsAtOnce);
  const sumFrom = (from: I32, to: I32, count: number) => {
    k.loop(i32.shl(from, 4), i32.shl(to, 4), vectorBytes * count, (results) => {
      k.call(sumOf(count), at, i32.add(at, bytes), rowBytes, columns, results);
      for (let row = 0; row < count; row++) k.assign(at, i32.add(at, rowBytes));
    });
  };
  sumFrom(i32.constant(0), together, rowsAtOnce);
  sumFrom(together, rows, 1);
}

/** The name of the function that sums so many rows. */
function sumOf(rows: number): string {
  return rows === 1 ? "sum" : `sum${rows}`;
}

function halvesSwapped(k: FunctionWriter, vector: V128): V128 {
  return k.i8x16.shuffle(vector, vector, [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7]);
}

/**
 * Counts all magnitudes, and lists the groups in which a weight changed, without a branch, which would often be mispredicted; then
 * the changed weights of these. Counts of all magnitudes and of changed ones are in separate passes: both tables together
 * exceed the L1 cache.
 */
function count(k: FunctionWriter): void {
  const { i32, i16x8, i8x16, v128 } = k;
  const [base, tuned, end, columns] = [0, 1, 2, 3].map((i) => k.parameter(i, "i32"));
  const toTuned = i32.sub(tuned, base);
  const toColumns = i32.sub(columns, base);
  const groups = k.variableOf(i32.constant(layout.groups));
  k.loop(base, end, groupBytes, (at) => {
    const differ = [0, vectorBytes].map((offset) =>
      v128.xor(k.load("v128", at, offset), k.load("v128", i32.add(at, toTuned), offset)),
    );
    k.store("i32", at, groups);
    const any = v128.any_true(differ.reduce(v128.or));
    k.assign(groups, i32.add(groups, i32.shl(any, 2)));
    for (let pair = 0; pair < groupLength; pair += 2) {
      const codes = k.load("i32", at, 2 * pair);
      increment(k, i32.and(i32.shl(codes, 2), 0x1fffc), layout.all);
      increment(k, i32.and(i32.shr_u(codes, 14), 0x1fffc), layout.all);
    }
  });
  const listed = k.variableOf(i32.constant(0));
  const zero = k.i32x4.constant(0);
  k.loop(i32.constant(layout.groups), groups, 4, (entry) => {
    const at = k.load("i32", entry);
    const column = i32.add(at, toColumns);
    const pairs = [0, vectorBytes].map((offset) => {
      const a = k.load("v128", at, offset);
      const b = k.load("v128", i32.add(at, toTuned), offset);
      // +0 and -0 are equal.
      const same = v128.or(i16x8.eq(a, b), i16x8.eq(i16x8.shl(v128.or(a, b), 1), zero));
      // A comparison gives -1.
      k.store("v128", i16x8.sub(k.load("v128", column, offset), v128.not(same)), column, offset);
      return { a, b, same };
    });
    const bits = i32.xor(i8x16.bitmask(i8x16.narrow_i16x8_s(pairs[0].same, pairs[1].same)), 0xffff);
    for (const [half, { a, b }] of pairs.entries()) {
      const row = i32.and(half === 0 ? i32.shl(bits, 4) : i32.shr_u(bits, 4), 0xff0);
      const order = k.load("v128", row, layout.gathers);
      k.store("v128", i8x16.swizzle(a, order), listed, layout.before);
      k.store("v128", i8x16.swizzle(b, order), listed, layout.after);
      k.assign(listed, i32.add(listed, i32.shl(i32.popcnt(row), 1)));
    }
  });
  measure(k, listed);
  k.store("i32", i32.shr_u(listed, 1), i32.constant(layout.report), report.changed);
}

function increment(k: FunctionWriter, place: I32, counts: number): void {
  k.store("i32", k.i32.add(k.load("i32", place, counts), 1), place, counts);
}

/** Sums the squares of the listed changes, counts their magnitudes, and updates the largest one. */
function measure(k: FunctionWriter, listed: I32): void {
  const { i32, i16x8, f64x2 } = k;
  const none = i32.constant(0);
  const zeros = k.i32x4.constant(0);
  const squares = k.variableOf(zeros);
  const largest = k.variableOf(k.load("v128", none, layout.report + report.largest));
  // Pad the last vector with pairs that did not change: they add nothing.
  for (const at of [layout.before, layout.after]) k.store("v128", zeros, listed, at);
  k.loop(none, listed, vectorBytes, (at) => {
    const [before, after] = [layout.before, layout.after].map((list) => k.load("v128", at, list));
    // Unchanged codes have the magnitude of the base, all of which are counted.
    k.assign(largest, i16x8.max_u(largest, i16x8.shl(after, 1)));
    for (const half of halves(k, before, after)) {
      k.assign(squares, f64x2.add(squares, f64x2.mul(half, half)));
    }
  });
  k.loop(none, listed, 2, (at) => {
    const magnitude = i32.and(k.load("i32_16u", at, layout.before), 0x7fff);
    increment(k, i32.shl(magnitude, 2), layout.changed);
  });
  k.store("v128", squares, none, layout.report + report.squares);
  k.store("v128", largest, none, layout.report + report.largest);
}

/** The changes of a vector of codes, two fp64 per vector. The fp64 difference of fp32 numbers is rounded once. */
function halves(k: FunctionWriter, a: V128, b: V128): V128[] {
  const { i32x4, f32x4, f64x2 } = k;
  return (["extend_low_i16x8_u", "extend_high_i16x8_u"] as const).flatMap((extend) => {
    const [from, to] = [a, b].map((codes) => i32x4.shl(i32x4[extend](codes), 16));
    const change = f32x4.sub(to, from);
    return [f64x2.promote_low_f32x4(change), f64x2.promote_low_f32x4(halvesSwapped(k, change))];
  });
}

/**
 * Looks up the shares of some rows in four tables of 16 sizes, a byte at a time; one by one if a size is outside the window. Adds
 * them by column, and by lane of each row in its results.
 */
function sum(k: FunctionWriter, rows: number): void {
  const { i32, i32x4, i16x8, i8x16, v128 } = k;
  const [base, end, rowBytes, columns, results] = [0, 1, 2, 3, 4].map((i) => k.parameter(i, "i32"));
  const column = k.variableOf(columns);
  const inRows = Array.from({ length: rows }, () => k.variableOf(i32x4.constant(0)));
  const none = i32.constant(0);
  const window = k.load("v128", none, layout.window);
  const tables = (at: number) =>
    Array.from({ length: windowLength / tableLength }, (_, n) => k.load("v128", none, at + tableLength * n));
  const [low, high] = [tables(layout.low), tables(layout.high)];
  const toColumns = (shares: readonly V128[]) => {
    for (const [i, each] of shares.entries())
      k.store("v128", i32x4.add(k.load("v128", column, vectorBytes * i), each), column, vectorBytes * i);
  };
  // A size is the upper ten bits of the magnitude.
  const sizesOf = (codes: V128) => i16x8.shr_u(v128.and(codes, i32x4.constant(0x7fe07fe0)), 5);
  k.loop(base, end, groupBytes, (at) => {
    const ats = [at];
    while (ats.length < rows) ats.push(i32.add(ats[ats.length - 1], rowBytes));
    const codes = ats.map((row) => [0, vectorBytes].map((offset) => k.load("v128", row, offset)));
    const places = codes.map((row) => row.map((each) => i16x8.sub(sizesOf(each), window)));
    const outside = v128.and(places.flat().reduce(v128.or), i32x4.constant(~(windowLength - 1 + 0x3f0000)));
    const sumOneByOne = () => {
      const shares = codes.map((row) => row.flatMap((each) => oneByOne(k, sizesOf(each))));
      for (const [row, each] of shares.entries())
        k.assign(inRows[row], i32x4.add(inRows[row], each.reduce(i32x4.add)));
      toColumns(shares.reduce((a, b) => a.map((each, i) => i32x4.add(each, b[i]))));
    };
    k.if(v128.any_true(outside), sumOneByOne, () => {
      const shares = places.map(([first, second], row) => {
        const place = i8x16.narrow_i16x8_s(first, second);
        // swizzle returns 0 for an index outside its table.
        const looked = (parts: readonly V128[]) =>
          parts
            .map((part, n) =>
              i8x16.swizzle(
                part,
                n === 0 ? place : i8x16.add(place, i32x4.constant(0x01010101 * (256 - tableLength * n))),
              ),
            )
            .reduce(v128.or);
        const [lows, highs] = [looked(low), looked(high)];
        const found = [0, 8].map((start) => {
          const order = Array.from({ length: 16 }, (_, i) => start + (i >> 1) + 16 * (i & 1));
          return i8x16.shuffle(lows, highs, order);
        });
        const inLanes = i32x4.extadd_pairwise_i16x8_s(i16x8.add(found[0], found[1]));
        k.assign(inRows[row], i32x4.add(inRows[row], inLanes));
        return found;
      });
      const ofColumns = shares.reduce((a, b) => a.map((each, i) => i16x8.add(each, b[i])));
      toColumns(
        ofColumns.flatMap((each) => [i32x4.extend_low_i16x8_u(each), i32x4.extend_high_i16x8_u(each)]),
      );
    });
    k.assign(column, i32.add(column, 2 * groupBytes));
  });
  for (const [row, inRow] of inRows.entries())
    k.store("v128", inRow, results, layout.rows + vectorBytes * row);
}

/** The shares of eight sizes. */
function oneByOne(k: FunctionWriter, sizesOfCodes: V128): V128[] {
  const places = Array.from({ length: 8 }, (_, lane) => k.i32.shl(k.i16x8.lane_u(sizesOfCodes, lane), 2));
  return [0, 4].map((start) => {
    let shares = k.load("v128_32_zero", places[start], layout.shares);
    for (const lane of [1, 2, 3]) {
      shares = k.loadLane("v128_32", shares, lane, places[start + lane], layout.shares);
    }
    return shares;
  });
}
