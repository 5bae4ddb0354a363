import type { Format } from "../../src/format/format.js";
import { format } from "../../src/format/registry.js";
import type { LowRank, Values } from "../../src/lens/input.js";

/** Numbers in shared memory, as fp32 or as the upper halves of fp32 numbers (bf16). */
export function sharedNumbers(numbers: readonly number[], storageFormat: Format = format("fp32")): Values {
  const single = Float32Array.from(numbers);
  const memory = new SharedArrayBuffer(single.length * (storageFormat.bits / 8));
  if (storageFormat.bits === 32) new Float32Array(memory).set(single);
  else new Uint16Array(memory).set(new Uint32Array(single.buffer).map((word) => word >>> 16));
  const decoded =
    storageFormat.bits === 32
      ? new Float32Array(memory)
      : new Float32Array(Uint32Array.from(new Uint16Array(memory), (code) => code << 16).buffer);
  return {
    length: single.length,
    origin: { kind: "stored", of: { in: memory, byteOffset: 0, format: storageFormat } },
    read: async (start, into) => into.set(decoded.subarray(start, start + into.length)),
  };
}

/** A product computed from its definition in three loops. */
export function plainProduct(
  rows: number,
  columns: number,
  rank: number,
  left: (i: number, k: number) => number,
  right: (k: number, j: number) => number,
  scale: number,
): Float32Array {
  const product = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += left(i, k) * right(k, j);
      product[i * columns + j] = sum * scale;
    }
  }
  return product;
}

export interface DrawnProduct {
  readonly product: LowRank;
  /** Row by row: rows x rank, rank x columns. */
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly plain: Float32Array;
}

/** A product of drawn factors. @param draw draws fp32 numbers. @param transposed whether factors are column-major. */
export function drawnProduct(
  { rows, columns, rank, scale }: Pick<LowRank, "rows" | "columns" | "rank" | "scale">,
  draw: () => number,
  transposed: readonly [boolean, boolean],
  stored?: Format,
): DrawnProduct {
  const numbers = (count: number) => Array.from({ length: count }, draw);
  const [left, right] = [numbers(rows * rank), numbers(rank * columns)];
  const byColumn = (matrix: readonly number[], width: number) =>
    matrix.map(
      (_, i) => matrix[(i % (matrix.length / width)) * width + Math.floor(i / (matrix.length / width))],
    );
  const [leftValues, rightValues] = [
    sharedNumbers(transposed[0] ? byColumn(left, rank) : left, stored),
    sharedNumbers(transposed[1] ? byColumn(right, columns) : right, stored),
  ];
  const product: LowRank = {
    rows,
    columns,
    rank,
    scale,
    left: { values: leftValues, transposed: transposed[0] },
    right: { values: rightValues, transposed: transposed[1] },
  };
  const plain = plainProduct(
    rows,
    columns,
    rank,
    (i, k) => left[i * rank + k],
    (k, j) => right[k * columns + j],
    scale,
  );
  return { product, left, right, plain };
}
