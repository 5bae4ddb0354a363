import { type MatrixPair, tileRows } from "./matrix.js";
import type { ProductsOf } from "./products.js";
import { leading, type Spectrum } from "./spectrum.js";

/** How the changes lie in the principal mask: the largest weights of the rank-k reconstruction of the base. */
export interface MaskOverlap {
  /** Changed weights in the mask. */
  readonly changed: number;
  /** Expected by size alone, and the variance of that. */
  readonly bySize: number;
  readonly variance: number;
}

/** Reconstructed numbers are sorted into bins by their upper bits: each spans a thousandth of its numbers. */
const dropped = 13;
const bins = 2 ** (31 - dropped);

/**
 * @param k the rank of the reconstruction.
 * @param shares by magnitude, the share of the size that changed.
 * @param maskShare of the weights that the mask takes.
 */
export async function principalOverlap(
  matrix: MatrixPair,
  spectrum: Spectrum,
  k: number,
  shares: Float64Array,
  maskShare: number,
  productsOf: ProductsOf,
): Promise<MaskOverlap> {
  const { rows, columns } = matrix;
  const { left, right, values } = leading(spectrum, rows, columns, k);
  // Of the base: the reconstruction U S V' is a product of rows of U S with V'.
  const scaled = Float32Array.from(left, (x, i) => x * values[i % k]);
  const height = tileRows(matrix);
  const products = productsOf(k, columns, height);
  products.begin(transposed(right, columns, k));
  const [all, changed, bySize, variance] = [0, 1, 2, 3].map(() => new Float64Array(bins));
  const key = new Float32Array(1);
  const keyBits = new Uint32Array(key.buffer);
  for (let first = 0; first < rows; first += height) {
    const count = Math.min(height, rows - first);
    const { base, tuned } = await matrix.read(first, count);
    const bits = new Uint32Array(base.buffer, base.byteOffset, base.length);
    const rebuilt = products.multiply(scaled.subarray(first * k, (first + count) * k), count, false);
    for (let i = 0; i < base.length; i++) {
      key[0] = rebuilt[i];
      const bin = (keyBits[0] & 0x7fffffff) >>> dropped;
      const share = shares[(bits[i] & 0x7fffffff) >>> 16];
      all[bin] += 1;
      bySize[bin] += share;
      variance[bin] += share * (1 - share);
      if (base[i] !== tuned[i]) changed[bin] += 1;
    }
  }
  let room = Math.round(maskShare * rows * columns);
  const sum = { changed: 0, bySize: 0, variance: 0 };
  for (let bin = bins - 1; bin >= 0 && room > 0; bin--) {
    if (all[bin] === 0) continue;
    // Of the last bin as much as there is room for: a thousandth of the numbers around the edge.
    const part = Math.min(1, room / all[bin]);
    sum.changed += part * changed[bin];
    sum.bySize += part * bySize[bin];
    sum.variance += part * variance[bin];
    room -= part * all[bin];
  }
  return sum;
}

function transposed(x: Float64Array, rows: number, columns: number): Float64Array {
  const into = new Float64Array(x.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) into[j * rows + i] = x[i * columns + j];
  return into;
}
