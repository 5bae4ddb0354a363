/** fast-check arbitraries for properties of low-precision arithmetic: precision-lens/testing/fast-check. */

import fc, { type Arbitrary } from "fast-check";
import { type BlockFormat, blockFormat } from "../format/block/block-format.js";
import { decodeMagnitude } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { formatOf } from "../format/registry.js";
import { type BlockInput, blockInputs } from "../vectors/block-inputs.js";
import { Draw } from "../vectors/draw.js";
import { hardOperands } from "../vectors/hard-operands.js";
import { numberAt, numberSource } from "../vectors/number-source.js";
import { type OperationName, operationNamed } from "../vectors/operation.js";

/** The codes of finite magnitudes; shrinking walks the numbers of the format toward zero. */
const codes = ({ maxFiniteCode }: Format) => fc.nat({ max: maxFiniteCode });

const signed = (magnitudes: Arbitrary<number>): Arbitrary<number> =>
  fc.tuple(magnitudes, fc.boolean()).map(([x, negative]) => (negative ? -x : x));

/**
 * Finite numbers of a format, including both zeros, uniform over codes, so all binades are equally likely.
 *
 * @param format a format or its name.
 * @returns an arbitrary that shrinks toward 0 along the numbers of the format.
 * @throws RangeError for an unknown format.
 * @example fc.sample(numbers("e2m1fn"), 100).every((x) => Math.abs(x) <= 6); // true
 */
export function numbers(format: Format | string): Arbitrary<number> {
  const resolved = formatOf(format);
  const finite = signed(codes(resolved).map((code) => decodeMagnitude(code, resolved)));
  return resolved.unsignedZero ? finite.map((x) => x + 0) : finite;
}

/**
 * Midpoints between neighbours of a format (the ties), including the overflow threshold.
 *
 * @param format a format or its name.
 * @returns an arbitrary of fp64 numbers.
 * @throws RangeError for an unknown format.
 * @example fc.sample(midpoints("bf16"), 100).every((x) => round(x, "bf16") !== x); // true
 */
export function midpoints(format: Format | string): Arbitrary<number> {
  const resolved = formatOf(format);
  return signed(codes(resolved).map((code) => (numberAt(code, resolved) + numberAt(code + 1, resolved)) / 2));
}

/**
 * Numbers around the decision points of a rounding to a format: its numbers, the midpoints, and up to three
 * input-format neighbours of each.
 *
 * @param format a format or its name.
 * @param from the input format: `fp64` or a format.
 * @returns an arbitrary that shrinks toward the numbers and midpoints.
 * @throws RangeError for an unknown format.
 * @example fc.sample(nearTies("e4m3fn", "fp32"), 100).every((x) => Math.fround(x) === x); // true
 */
export function nearTies(format: Format | string, from: Format | string = "fp64"): Arbitrary<number> {
  const source = numberSource(from);
  return fc
    .tuple(fc.oneof(numbers(format), midpoints(format)), fc.integer({ min: -3, max: 3 }))
    .map(([center, steps]) => source.near(center, steps));
}

/**
 * Powers of two from below the smallest to above the largest number of a format, of both signs.
 *
 * @param format a format or its name.
 * @returns an arbitrary that shrinks toward 1.
 * @throws RangeError for an unknown format.
 * @example fc.sample(powersOfTwo("fp16"), 100).every((x) => Math.log2(Math.abs(x)) % 1 === 0); // true
 */
export function powersOfTwo(format: Format | string): Arbitrary<number> {
  const { minPositive, maxExponent } = formatOf(format);
  return signed(
    fc.integer({ min: Math.log2(minPositive) - 2, max: maxExponent + 2 }).map((exponent) => 2 ** exponent),
  );
}

/**
 * Subnormal numbers of a format.
 *
 * @param format a format or its name.
 * @returns an arbitrary that shrinks toward the smallest one.
 * @throws RangeError for an unknown format, and for one without subnormal numbers.
 * @example fc.sample(subnormals("bf16"), 100).every((x) => Math.abs(x) < 2 ** -126); // true
 */
export function subnormals(format: Format | string): Arbitrary<number> {
  const resolved = formatOf(format);
  if (!resolved.subnormals) throw new RangeError(`${resolved.name} has no subnormal numbers`);
  return signed(
    fc
      .integer({ min: 1, max: 2 ** (resolved.precision - 1) - 1 })
      .map((code) => decodeMagnitude(code, resolved)),
  );
}

/**
 * Zeros, the range limits of a format, the first number beyond, infinities and NaN.
 *
 * @param format a format or its name.
 * @returns an arbitrary of numbers.
 * @throws RangeError for an unknown format.
 * @example fc.sample(specials("fp16"), 200).includes(Infinity); // true
 */
export function specials(format: Format | string): Arbitrary<number> {
  const { maxFinite, minNormal, minPositive, maxFiniteCode } = formatOf(format);
  const beyond = numberAt(maxFiniteCode + 1, formatOf(format));
  return fc.oneof(
    signed(fc.constantFrom(0, 1, minPositive, minNormal, maxFinite, beyond, Infinity)),
    fc.constant(NaN),
  );
}

/**
 * All kinds of inputs for a rounding to a format, mostly hard ones.
 *
 * @param format a format or its name.
 * @param from the input format: `fp64` or a format.
 * @returns an arbitrary of numbers, including NaN and infinities.
 * @throws RangeError for an unknown format.
 * @example fc.sample(inputs("bf16"), 10).length; // 10
 */
export function inputs(format: Format | string, from: Format | string = "fp64"): Arbitrary<number> {
  const source = numberSource(from);
  const any = fc.double({ noNaN: true }).map((x) => (source.format ? source.near(x, 0) : x));
  return fc.oneof(
    { weight: 6, arbitrary: nearTies(format, from) },
    { weight: 1, arbitrary: powersOfTwo(format).map((x) => (source.format ? source.near(x, 0) : x)) },
    { weight: 1, arbitrary: specials(format).map((x) => (Number.isFinite(x) ? source.near(x, 0) : x)) },
    { weight: 1, arbitrary: any },
  );
}

/** Our own generator turns a seed into a case, so shrinking leads to smaller seeds, not simpler cases. */
const seeds = fc.nat({ max: 2 ** 31 - 1 });

/**
 * Operands in a format whose exact result lies on or next to a number or midpoint, in the subnormal range, or
 * at overflow.
 *
 * @param operation `add sub mul div sqrt fma`.
 * @param format a format or its name.
 * @returns an arbitrary of operand tuples.
 * @throws RangeError for an unknown name.
 * @example fc.sample(operands("fma", "bf16"), 1)[0].length; // 3
 */
export function operands(operation: OperationName, format: Format | string): Arbitrary<number[]> {
  const resolved = formatOf(format);
  const { operands: count } = operationNamed(operation);
  return seeds.map((seed) => hardOperands(operation, new Draw(seed, operation), resolved).slice(0, count));
}

/**
 * Small matrices of whole blocks whose largest magnitudes are at a threshold of a scale rule.
 *
 * @param format a block format or its name, such as `mxfp4:rceil`.
 * @returns an arbitrary of data and shape, as taken by `quantize`.
 * @throws RangeError for an unknown name.
 * @example fc.sample(blocks("mxfp4"), 1)[0].shape; // [1, 32]
 */
export function blocks(format: BlockFormat | string): Arbitrary<BlockInput> {
  const resolved = typeof format === "string" ? blockFormat(format) : format;
  const all = [...blockInputs(resolved, "1", new Draw(0, resolved.name))];
  return fc.constantFrom(...all);
}
