import { type BlockFormat, blockFormat } from "../format/block/block-format.js";
import type { QuantizedCodes } from "../vectors/quantizer-mistakes.js";
import { quantizerSubject } from "../vectors/quantizer-subject.js";
import { type Checked, type CheckOptions, check, expectFunction } from "./mismatch.js";

/**
 * Checks a quantizer to a format with shared scales, on blocks whose largest magnitude is at a threshold of a
 * scale rule and whose other numbers are at element midpoints.
 *
 * @param mine the function under test: takes a matrix, row by row, and its shape; returns a code for each
 * number, the codes of the block scales (numbers if scales are fp32), and optionally the tensor scale.
 * @param format a block format or its name, such as `mxfp4`, `nvfp4:transformer-engine`.
 * @param options level and seed.
 * @returns the number of matrices checked.
 * @throws ArithmeticMismatch if any is wrong; RangeError for an unknown name or level, TypeError without a function.
 * @example checkQuantizer((data, shape) => quantize(data, shape, "mxfp4"), "mxfp4", { level: 1 }).exhaustive; // false
 */
export function checkQuantizer(
  mine: (data: Float32Array, shape: readonly [number, number]) => QuantizedCodes,
  format: BlockFormat | string,
  options: CheckOptions = {},
): Checked {
  expectFunction(mine);
  const resolved = typeof format === "string" ? blockFormat(format) : format;
  return check(quantizerSubject(resolved), ({ data, shape }) => mine(data.slice(), shape), options);
}
