import { roundBy } from "../../format/round.js";
import type { Factor, LowRank, Values } from "../input.js";

/** The elements of such a product, row by row, computed on reading: the whole is never in memory. */
export function lowRankValues(product: LowRank): Values {
  const { rows, columns } = product;
  return {
    length: rows * columns,
    origin: { kind: "product", of: product },
    read: (start, into) => readProduct(product, start, into),
  };
}

/** The same product with the other sign. */
export function negated(product: LowRank): LowRank {
  return { ...product, scale: -product.scale };
}

/** The right factor of the last read, for the next one: tensors are read one after the other, in many pieces. */
let last: { readonly of: Factor; readonly numbers: Promise<Float64Array> } | undefined;

function rightOf({ right, rank, columns }: LowRank): Promise<Float64Array> {
  if (last?.of !== right) {
    const numbers = readRows(right, rank, columns, 0, rank);
    // A failed read may be retried.
    numbers.catch(() => {
      last = undefined;
    });
    last = { of: right, numbers };
  }
  return last.numbers;
}

/** Columns summed at once: their sums fit in the L1 cache. */
const tile = 2048;

async function readProduct(
  product: LowRank,
  start: number,
  into: Float32Array | Float64Array,
): Promise<void> {
  const { rows, columns, rank, scale, rounded } = product;
  if (into.length === 0) return;
  const first = Math.floor(start / columns);
  const end = Math.ceil((start + into.length) / columns);
  const [left, right] = await Promise.all([
    readRows(product.left, rows, rank, first, end - first),
    rightOf(product),
  ]);
  const sums = new Float64Array(Math.min(tile, columns));
  for (let at = 0; at < into.length; ) {
    const column = (start + at) % columns;
    const width = Math.min(tile, columns - column, into.length - at);
    const row = (Math.floor((start + at) / columns) - first) * rank;
    addProducts(left, row, right, columns, column, rank, sums.subarray(0, width));
    for (let j = 0; j < width; j++) {
      const element = Math.fround(sums[j] * scale);
      into[at + j] = rounded ? roundBy(element, rounded) : element;
    }
    at += width;
  }
}

/** Four terms of each sum in one pass: three times as fast as one (measured), in the same order. */
function addProducts(
  left: Float64Array,
  row: number,
  right: Float64Array,
  columns: number,
  column: number,
  rank: number,
  sums: Float64Array,
): void {
  const width = sums.length;
  sums.fill(0);
  let k = 0;
  for (; k + 4 <= rank; k += 4) {
    const [a, b, c, d] = [left[row + k], left[row + k + 1], left[row + k + 2], left[row + k + 3]];
    const first = k * columns + column;
    const [second, third, fourth] = [first + columns, first + 2 * columns, first + 3 * columns];
    for (let j = 0; j < width; j++) {
      sums[j] =
        sums[j] + a * right[first + j] + b * right[second + j] + c * right[third + j] + d * right[fourth + j];
    }
  }
  for (; k < rank; k++) {
    const a = left[row + k];
    const from = k * columns + column;
    for (let j = 0; j < width; j++) sums[j] += a * right[from + j];
  }
}

/** Some rows of a matrix, row by row. */
async function readRows(
  { values, transposed }: Factor,
  rows: number,
  columns: number,
  first: number,
  count: number,
): Promise<Float64Array> {
  const numbers = new Float64Array(count * columns);
  if (!transposed) {
    await values.read(first * columns, numbers);
    return numbers;
  }
  // One reading where all of it is wanted, else one for each column.
  const all = count === rows ? new Float64Array(rows * columns) : null;
  if (all) await values.read(0, all);
  for (let c = 0; c < columns; c++) {
    const column = all ? all.subarray(c * rows, (c + 1) * rows) : new Float64Array(count);
    if (!all) await values.read(c * rows + first, column);
    for (let r = 0; r < count; r++) numbers[r * columns + c] = column[r];
  }
  return numbers;
}
