import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { type MemorySize, moduleBytes } from "../assembler/module.js";
import { formingFunctions } from "./form.js";

/** The columns of a panel: two SIMD vectors of four lanes. */
export const panelWidth = 8;

/** Rows or columns of the tile multiplied at once: with two SIMD vectors, eight sums stay in registers. */
export const quad = 4;

/** Bytes per row of a panel, in fp32 and in fp64. */
export const panelBytes = 4 * panelWidth;
export const sumBytes = 8 * panelWidth;

/**
 * Products of an fp32 tile with panels of eight columns. Sums are fp32 within one call, then added to fp64.
 *
 * - `image(tile, rowBytes, quads, x, steps, sums)`: rows of the tile times a panel of X, `steps` columns long, a multiple of four.
 * - `gather(tile, rowBytes, quads, y, steps, sums)`: columns of the tile, `steps` rows long, times a panel of Y.
 * - functions that form a tile from codes, see {@link formingFunctions}.
 */
export function productsModule(memory: MemorySize): Uint8Array<ArrayBuffer> {
  const parameters = ["i32", "i32", "i32", "i32", "i32", "i32"] as const;
  return moduleBytes(memory, [
    { name: "image", parameters, write: (k) => quads(k, "rows") },
    { name: "gather", parameters, write: (k) => quads(k, "columns") },
    ...formingFunctions(),
  ]);
}

function quads(k: FunctionWriter, side: "rows" | "columns"): void {
  const { i32 } = k;
  const [tile, rowBytes, count, panel, steps, sums] = [0, 1, 2, 3, 4, 5].map((i) => k.parameter(i, "i32"));
  const from = k.variableOf(tile);
  const to = k.variableOf(sums);
  const next = side === "rows" ? i32.shl(rowBytes, 2) : i32.constant(4 * quad);
  const zero = i32.constant(0);
  k.loop(zero, count, 1, () => {
    const products =
      side === "rows"
        ? alongRows(k, from, rowBytes, panel, steps)
        : alongColumns(k, from, rowBytes, panel, steps);
    for (const [i, vector] of products.entries()) addTo(k, vector, to, 32 * i);
    k.assign(from, i32.add(from, next));
    k.assign(to, i32.add(to, quad * sumBytes));
  });
}

/** Four rows in parallel: one pointer each, four columns per iteration. */
function alongRows(k: FunctionWriter, from: I32, rowBytes: I32, panel: I32, steps: I32): V128[] {
  const { i32 } = k;
  const rows = [k.variableOf(from)];
  for (let row = 1; row < quad; row++) rows.push(k.variableOf(i32.add(rows[row - 1], rowBytes)));
  const x = k.variableOf(panel);
  const end = i32.add(panel, i32.shl(steps, 5));
  const sums = zeros(k);
  const unrolled = 4;
  k.repeat(() => {
    for (let step = 0; step < unrolled; step++) {
      multiplyAdd(
        k,
        sums,
        rows.map((row) => k.load("v128_32_splat", row, 4 * step)),
        [0, 16].map((at) => k.load("v128", x, panelBytes * step + at)),
      );
    }
    for (const row of rows) k.assign(row, i32.add(row, 4 * unrolled));
    k.assign(x, i32.add(x, panelBytes * unrolled));
    return i32.lt_u(x, end);
  });
  return sums;
}

/** Four columns in parallel: one pointer, one row per iteration. */
function alongColumns(k: FunctionWriter, from: I32, rowBytes: I32, panel: I32, steps: I32): V128[] {
  const { i32 } = k;
  const at = k.variableOf(from);
  const y = k.variableOf(panel);
  const end = i32.add(panel, i32.shl(steps, 5));
  const sums = zeros(k);
  k.repeat(() => {
    multiplyAdd(
      k,
      sums,
      [0, 4, 8, 12].map((column) => k.load("v128_32_splat", at, column)),
      [0, 16].map((half) => k.load("v128", y, half)),
    );
    k.assign(at, i32.add(at, rowBytes));
    k.assign(y, i32.add(y, panelBytes));
    return i32.lt_u(y, end);
  });
  return sums;
}

function multiplyAdd(
  k: FunctionWriter,
  sums: readonly V128[],
  factors: readonly V128[],
  halves: readonly V128[],
) {
  for (const [i, sum] of sums.entries()) {
    const product = k.f32x4.mul(factors[i >> 1], halves[i & 1]);
    k.assign(sum, k.f32x4.add(sum, product));
  }
}

function zeros(k: FunctionWriter): V128[] {
  const zero = k.f32x4.constant(0);
  return Array.from({ length: 2 * quad }, () => k.variableOf(zero));
}

/** Adds four fp32 lanes to four fp64 numbers. */
function addTo(k: FunctionWriter, vector: V128, pointer: I32, offset: number): void {
  const { f64x2, i8x16 } = k;
  const upper = i8x16.shuffle(vector, vector, [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7]);
  for (const [i, half] of [vector, upper].entries()) {
    const at = offset + 16 * i;
    k.store("v128", f64x2.add(k.load("v128", pointer, at), f64x2.promote_low_f32x4(half)), pointer, at);
  }
}
