import { type BlockFormat, blockFormat } from "../format/block/block-format.js";
import type { QuantizedCodes } from "../vectors/quantizer-mistakes.js";
import { quantizerSubject } from "../vectors/quantizer-subject.js";
import { type Checked, type CheckOptions, check } from "./mismatch.js";

/**
 * Checks a quantizer to a format of shared scales, on blocks whose largest magnitude lies where scale rules change their mind
 * and whose other numbers lie at the midpoints of the elements.
 *
 * @param mine takes the numbers of a matrix, row by row, and its shape; gives a code for each number, the codes of the scales
 *   of its blocks (numbers where scales are fp32), and if it likes the scale of the tensor.
 * @param format a block format or its name, such as `mxfp4`, `nvfp4:transformer-engine`.
 * @param options level and seed.
 * @returns how many matrices were right.
 * @throws ArithmeticMismatch if any is wrong; RangeError for an unknown name.
 * @example checkQuantizer((data, shape) => quantize(data, shape, "mxfp4"), "mxfp4", { level: 1 }).exhaustive; // false
 */
export function checkQuantizer(
  mine: (data: Float32Array, shape: readonly [number, number]) => QuantizedCodes,
  format: BlockFormat | string,
  options: CheckOptions = {},
): Checked {
  const resolved = typeof format === "string" ? blockFormat(format) : format;
  return check(quantizerSubject(resolved), ({ data, shape }) => mine(data.slice(), shape), options);
}
