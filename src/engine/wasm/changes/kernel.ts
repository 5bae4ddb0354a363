import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { type MemorySize, moduleBytes, pageBytes } from "../assembler/module.js";

const vectorBytes = 16;

/** Elements of a vector of codes: what a row is counted by. */
export const vectorLength = 8;

/** Columns that there is room for: column counts are 16 bits, and those of a row in lanes too. */
export const mostColumns = 2 ** 18;

/** Rows that are counted before column counts are taken out. */
export const mostRows = 512;

const rowBytes = 2 * mostColumns;

const sizes = {
  /** A pair of words for each magnitude: unchanged, and changed. */
  magnitudes: 8 * 2 ** 15,
  /** Of each size the share that changed, fp32. */
  shares: 4 * 2 ** 10,
  /** Results of a row. */
  report: 64,
  columns: 2 * mostColumns,
  columnShares: 4 * mostColumns,
  base: rowBytes,
  tuned: rowBytes,
} as const;

/** Where each lies, one after the other. */
export const layout = (() => {
  let at = 0;
  const places = Object.entries(sizes).map(([name, size]) => {
    at += size;
    return [name, at - size] as const;
  });
  return { ...(Object.fromEntries(places) as Record<keyof typeof sizes, number>), bytes: at };
})();

/** Codes of a tile on each side, unless a row is longer: they stay in the cache between reading and counting. */
export const tileLength = 2 ** 18;

/** Within the report: the sum of squares (two fp64), changes by lane, the largest magnitude by lane, sums of shares. */
export const report = { squares: 0, changed: 16, largest: 32, shares: 48 } as const;

export const memorySize: MemorySize = { pages: Math.ceil(layout.bytes / pageBytes), shared: false };

/**
 * Counts of bf16 codes, a row at a time, by whole vectors.
 *
 * - `count(base, tuned, end, columns)`: by magnitude, by column (16 bits), and the report of the row.
 * - `sum(base, end, columns)`: shares of sizes, by column and of the row.
 */
export function changesModule(): Uint8Array<ArrayBuffer> {
  return moduleBytes(memorySize, [
    { name: "count", parameters: ["i32", "i32", "i32", "i32"], write: count },
    { name: "sum", parameters: ["i32", "i32", "i32"], write: sum },
  ]);
}

function count(k: FunctionWriter): void {
  const { i16x8, v128, f64x2 } = k;
  const [base, tuned, end, columns] = [0, 1, 2, 3].map((i) => k.parameter(i, "i32"));
  const toTuned = k.i32.sub(tuned, base);
  const column = variableOf(k, columns);
  const zero = k.i32x4.constant(0);
  const magnitude = k.i32x4.constant(0x7fff7fff);
  const [changedInRow, largest] = [variableOf(k, zero), variableOf(k, zero)];
  const squares = variableOf(k, zero);
  k.loop(base, end, vectorBytes, (at) => {
    const a = k.load("v128", at);
    const b = k.load("v128", k.i32.add(at, toTuned));
    const [sizeOfA, sizeOfB] = [v128.and(a, magnitude), v128.and(b, magnitude)];
    // +0 and -0 are one number.
    const changed = v128.andnot(i16x8.ne(a, b), i16x8.eq(v128.or(sizeOfA, sizeOfB), zero));
    k.assign(largest, i16x8.max_u(largest, i16x8.max_u(sizeOfA, sizeOfB)));
    k.assign(changedInRow, i16x8.sub(changedInRow, changed));
    k.store("v128", i16x8.sub(k.load("v128", column), changed), column);
    k.assign(column, k.i32.add(column, vectorBytes));
    k.if(i16x8.bitmask(changed), () => {
      for (const half of halves(k, a, b)) k.assign(squares, f64x2.add(squares, f64x2.mul(half, half)));
    });
    // A comparison gives -1.
    byMagnitude(k, i16x8.sub(i16x8.shl(sizeOfA, 1), changed));
  });
  k.store("v128", squares, k.i32.constant(layout.report), report.squares);
  k.store("v128", changedInRow, k.i32.constant(layout.report), report.changed);
  k.store("v128", largest, k.i32.constant(layout.report), report.largest);
}

/** The changes of a vector of codes in fp64, two by two. Differences of fp32 are rounded once to it. */
function halves(k: FunctionWriter, a: V128, b: V128): V128[] {
  const { i32x4, f32x4, f64x2, i8x16 } = k;
  return (["extend_low_i16x8_u", "extend_high_i16x8_u"] as const).flatMap((extend) => {
    const [from, to] = [a, b].map((codes) => i32x4.shl(i32x4[extend](codes), 16));
    const change = f32x4.sub(to, from);
    const upper = i8x16.shuffle(change, change, [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7]);
    return [f64x2.promote_low_f32x4(change), f64x2.promote_low_f32x4(upper)];
  });
}

/** Adds one to the counts with these indices: twice the magnitude, and one where it changed. */
function byMagnitude(k: FunctionWriter, indices: V128): void {
  const { i32 } = k;
  for (const index of lanesOf(k, indices)) {
    const place = i32.shl(index, 2);
    k.store("i32", i32.add(k.load("i32", place, layout.magnitudes), 1), place, layout.magnitudes);
  }
}

function lanesOf(k: FunctionWriter, vector: V128): I32[] {
  return Array.from({ length: vectorLength }, (_, lane) => k.i16x8.lane_u(vector, lane));
}

function sum(k: FunctionWriter): void {
  const { i32, f32x4 } = k;
  const [base, end, columns] = [0, 1, 2].map((i) => k.parameter(i, "i32"));
  const column = variableOf(k, columns);
  const inRow = variableOf(k, k.i32x4.constant(0));
  // Sizes are the upper ten bits of magnitudes; four bytes each.
  const sizes = k.i32x4.constant(0x7fe07fe0);
  k.loop(base, end, vectorBytes, (at) => {
    const places = lanesOf(k, k.i16x8.shr_u(k.v128.and(k.load("v128", at), sizes), 3));
    for (const half of [0, 1]) {
      const [first, ...others] = places.slice(4 * half, 4 * half + 4);
      let shares = k.load("v128_32_zero", first, layout.shares);
      for (const [i, place] of others.entries()) {
        shares = k.loadLane("v128_32", shares, i + 1, place, layout.shares);
      }
      k.assign(inRow, f32x4.add(inRow, shares));
      const added = f32x4.add(k.load("v128", column, vectorBytes * half), shares);
      k.store("v128", added, column, vectorBytes * half);
    }
    k.assign(column, i32.add(column, 2 * vectorBytes));
  });
  k.store("v128", inRow, i32.constant(layout.report), report.shares);
}

function variableOf<T extends I32 | V128>(k: FunctionWriter, value: T): T {
  const variable = k.variable(value.type) as T;
  k.assign(variable, value);
  return variable;
}
