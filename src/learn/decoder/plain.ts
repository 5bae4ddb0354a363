import type { Arithmetic } from "./arithmetic.js";
import { geluFp32, geluFp64 } from "./elementary.js";
import type { Numbers } from "./numbers.js";

/** In fp64: the reference for gradients. */
export const plainFp64: Arithmetic = {
  name: "fp64, JavaScript",
  gelu: geluFp64,
  allocate: (length) => new Float64Array(length),
  product(c, cAt, cRow, a, aAt, aRow, aColumn, b, bAt, bRow, rows, sums, columns, adds) {
    for (let i = 0; i < rows; i++) {
      for (let k = 0; k < columns; k++) {
        const at = cAt + i * cRow + k;
        let sum = adds ? c[at] : 0;
        for (let j = 0; j < sums; j++) sum += a[aAt + i * aRow + j * aColumn] * b[bAt + j * bRow + k];
        c[at] = sum;
      }
    }
  },
};

/** In fp32, each operation rounded: the specification of the SIMD kernel, and the fallback without SIMD. */
export const plainFp32: Arithmetic = {
  name: "fp32, JavaScript",
  gelu: geluFp32,
  allocate: (length) => new Float32Array(length),
  product: product32,
};

const { fround } = Math;

function product32(
  c: Numbers,
  cAt: number,
  cRow: number,
  a: Numbers,
  aAt: number,
  aRow: number,
  aColumn: number,
  b: Numbers,
  bAt: number,
  bRow: number,
  rows: number,
  sums: number,
  columns: number,
  adds: boolean,
): void {
  for (let i = 0; i < rows; i++) {
    const rowA = aAt + i * aRow;
    for (let k = 0; k < columns; k += 4) {
      const at = cAt + i * cRow + k;
      let s0 = fround(adds ? c[at] : 0);
      let s1 = fround(adds ? c[at + 1] : 0);
      let s2 = fround(adds ? c[at + 2] : 0);
      let s3 = fround(adds ? c[at + 3] : 0);
      let atB = bAt + k;
      for (let j = 0; j < sums; j++) {
        const x = fround(a[rowA + j * aColumn]);
        s0 = fround(s0 + fround(x * b[atB]));
        s1 = fround(s1 + fround(x * b[atB + 1]));
        s2 = fround(s2 + fround(x * b[atB + 2]));
        s3 = fround(s3 + fround(x * b[atB + 3]));
        atB += bRow;
      }
      c[at] = s0;
      c[at + 1] = s1;
      c[at + 2] = s2;
      c[at + 3] = s3;
    }
  }
}
