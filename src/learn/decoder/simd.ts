import type { FunctionWriter, I32, V128 } from "../../engine/wasm/assembler/function.js";
import { moduleBytes, pageBytes } from "../../engine/wasm/assembler/module.js";
import { webAssembly } from "../../engine/wasm/platform.js";
import type { Arithmetic } from "./arithmetic.js";
import { geluFp32 } from "./elementary.js";

/** Addresses and strides in bytes, then counts. */
const operands = [
  "c",
  "cRow",
  "a",
  "aRow",
  "aColumn",
  "b",
  "bRow",
  "rows",
  "sums",
  "columns",
  "adds",
] as const;

/** Rows and columns whose sums are held in registers at once. */
const tileRows = 4;
const tileColumns = 8;

/** Compiled by pages of memory. */
const modules = new Map<number, Promise<object>>();

function moduleOf(pages: number): Promise<object> {
  const parameters = operands.map(() => "i32" as const);
  const write = () =>
    moduleBytes({ pages, shared: false }, [{ name: "product", parameters, write: writeProduct }]);
  const module = modules.get(pages) ?? webAssembly!.compile(write());
  modules.set(pages, module);
  return module;
}

/**
 * In fp32 by WebAssembly's SIMD: the bits of `plainFp32`, because lanes are columns and each sum is added up in its order; WebAssembly
 * fuses no products with sums.
 *
 * @param bytes of all that will be allocated, each rounded up to 16.
 */
export async function simdFp32(bytes: number): Promise<Arithmetic> {
  const pages = Math.max(1, Math.ceil(bytes / pageBytes));
  const { Memory, Instance } = webAssembly!;
  const module = await moduleOf(pages);
  const memory = new Memory({ initial: pages, maximum: pages });
  const { product } = new Instance(module, { host: { memory } }).exports;
  let used = 0;
  return {
    name: "fp32, WebAssembly SIMD",
    gelu: geluFp32,
    allocate(length) {
      const array = new Float32Array(memory.buffer as ArrayBuffer, used, length);
      used += allocatedBytes(length);
      return array;
    },
    product(c, cAt, cRow, a, aAt, aRow, aColumn, b, bAt, bRow, rows, sums, columns, adds) {
      product(
        c.byteOffset + 4 * cAt,
        4 * cRow,
        a.byteOffset + 4 * aAt,
        4 * aRow,
        4 * aColumn,
        b.byteOffset + 4 * bAt,
        4 * bRow,
        rows,
        sums,
        columns,
        adds ? 1 : 0,
      );
    },
  };
}

export function allocatedBytes(length: number): number {
  return Math.ceil(length / 4) * 16;
}

/** Whether there is WebAssembly with SIMD. */
export function hasSimd(): boolean {
  const parameters = operands.map(() => "i32" as const);
  const functions = [{ name: "product", parameters, write: writeProduct }];
  return webAssembly?.validate(moduleBytes({ pages: 1, shared: false }, functions)) ?? false;
}

function writeProduct(w: FunctionWriter): void {
  const parameters = Object.fromEntries(operands.map((name, i) => [name, w.parameter(i, "i32")])) as Record<
    (typeof operands)[number],
    I32
  >;
  const zero = w.i32.constant(0);
  const [c, a] = [w.variable("i32"), w.variable("i32")];
  w.assign(c, parameters.c);
  w.assign(a, parameters.a);
  const whole = w.i32.and(parameters.rows, -tileRows);
  const rowsFrom = (from: I32, to: I32, rows: number) => {
    w.loop(from, to, rows, () => {
      writeRows(w, parameters, c, a, rows);
      for (let i = 0; i < rows; i++) {
        w.assign(c, w.i32.add(c, parameters.cRow));
        w.assign(a, w.i32.add(a, parameters.aRow));
      }
    });
  };
  rowsFrom(zero, whole, tileRows);
  rowsFrom(whole, parameters.rows, 1);
}

/** Some rows of c, tile by tile. */
function writeRows(
  w: FunctionWriter,
  parameters: Readonly<Record<(typeof operands)[number], I32>>,
  c: I32,
  a: I32,
  rows: number,
): void {
  const zero = w.i32.constant(0);
  const bytes = w.i32.shl(parameters.columns, 2);
  w.loop(zero, bytes, 4 * tileColumns, (k) => {
    const cs: I32[] = [w.i32.add(c, k)];
    for (let i = 1; i < rows; i++) cs.push(w.i32.add(cs[i - 1], parameters.cRow));
    const sums: V128[] = Array.from({ length: 2 * rows }, () => w.variable("v128"));
    const none = w.f32x4.constant(0);
    const each = (value: (i: number) => V128) => {
      for (const [i, sum] of sums.entries()) w.assign(sum, value(i));
    };
    w.if(
      parameters.adds,
      () => each((i) => w.load("v128", cs[i >> 1], 16 * (i & 1))),
      () => each(() => none),
    );
    const [aj, bj] = [w.variable("i32"), w.variable("i32")];
    w.assign(aj, a);
    w.assign(bj, w.i32.add(parameters.b, k));
    w.loop(zero, parameters.sums, 1, () => {
      const b = [w.load("v128", bj), w.load("v128", bj, 16)];
      let at = aj;
      for (let i = 0; i < rows; i++) {
        if (i > 0) at = w.i32.add(at, parameters.aRow);
        const x = w.load("v128_32_splat", at);
        for (const half of [0, 1]) {
          const sum = sums[2 * i + half];
          w.assign(sum, w.f32x4.add(sum, w.f32x4.mul(x, b[half])));
        }
      }
      w.assign(aj, w.i32.add(aj, parameters.aColumn));
      w.assign(bj, w.i32.add(bj, parameters.bRow));
    });
    for (const [i, sum] of sums.entries()) w.store("v128", sum, cs[i >> 1], 16 * (i & 1));
  });
}
