import { type BlockFormat, blockFormat } from "../format/block/block-format.js";
import { type BlockInput, blockInputs } from "../vectors/block-inputs.js";
import { Collected } from "../vectors/collected.js";
import { describeFailure, hex, withCode } from "../vectors/describe.js";
import { Draw } from "../vectors/draw.js";
import {
  type Difference,
  firstDifference,
  type QuantizedCodes,
  quantized,
  quantizerMistakes,
  sameQuantized,
} from "../vectors/quantizer-mistakes.js";
import type { Level } from "../vectors/rounding-inputs.js";
import { ArithmeticMismatch, type Checked } from "./mismatch.js";

/** What is asked of somebody's quantizer. */
export interface QuantizerCheck {
  /** 1: some hundred blocks at the boundaries of the scale rules; 2 (default): of every exponent, some thousand. */
  readonly level?: 1 | 2;
  /** Of the random numbers. Default 0. */
  readonly seed?: number;
}

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
  options: QuantizerCheck = {},
): Checked {
  const { level = 2, seed = 0 } = options;
  const of = typeof format === "string" ? blockFormat(format) : format;
  const draw = new Draw(seed, of.name);
  const results = new Collected<BlockInput, QuantizedCodes>(
    sameQuantized(of),
    ({ expected, found }) => firstDifference(expected, found, of)?.where ?? "element",
    3,
  );
  for (const input of blockInputs(of, String(level) as Level, draw)) {
    results.add(input, quantized(input, of), mine(input.data.slice(), input.shape));
  }
  const outcome = results.outcome(() => quantizerMistakes(of));
  if (outcome.wrong > 0) {
    const line = (input: BlockInput, expected: QuantizedCodes, found: QuantizedCodes) =>
      describeDifference(firstDifference(expected, found, of)!, input, of);
    throw new ArithmeticMismatch(
      describeFailure(of.name, outcome, line),
      outcome.cases,
      outcome.wrong,
      outcome.mistakes,
    );
  }
  return { cases: outcome.cases, exhaustive: false };
}

function describeDifference(
  { where, index, expected, found }: Difference,
  { data, shape }: BlockInput,
  { element, scale }: BlockFormat,
): string {
  const amax = data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  if (where === "element") {
    return (
      `the element of ${withCode(data[index], null)}, largest magnitude ${amax}: found ` +
      `${hex(found, element.bits)}, expected ${hex(expected, element.bits)}`
    );
  }
  const shown = (x: number) => (where === "scale" && scale.bits <= 8 ? hex(x, scale.bits) : String(x));
  return (
    `the ${where}${where === "scale" ? ` of block ${index}` : ""} of a ${shape.join(" x ")} matrix, largest magnitude ` +
    `${amax}: found ${shown(found)}, expected ${shown(expected)}`
  );
}
