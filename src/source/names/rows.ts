import type { SideTensor } from "../pair/side-tensor.js";

/**
 * Consecutive rows of a tensor as a tensor. Rows are the first dimension, or for a tensor of matrices the rows of all
 * matrices, concatenated.
 *
 * @param shape the shape of the part.
 */
export function rowsOf(
  tensor: SideTensor,
  name: string,
  firstRow: number,
  shape: readonly number[],
  width: number,
): SideTensor {
  const first = firstRow * width;
  const elements = shape.reduce((product, length) => product * length, 1);
  const { stored, format, scaled, ...rest } = tensor;
  const bits = format === "fp64" ? 64 : (format?.bits ?? 0);
  const isWhole = first === 0 && elements === tensor.elements;
  const begins = stored !== null && (first * bits) % 8 === 0 && (elements * bits) % 8 === 0;
  return {
    ...rest,
    name,
    shape,
    elements,
    format,
    stored: begins ? { file: stored.file, begin: stored.begin + (first * bits) / 8 } : null,
    ...(isWhole && scaled && { scaled }),
    read: (start, into, updated) => tensor.read(first + start, into, updated),
  };
}
