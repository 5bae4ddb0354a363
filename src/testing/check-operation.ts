import type { Format } from "../format/format.js";
import { type Opmath, opmaths } from "../format/operations.js";
import type { RoundOptions } from "../format/round.js";
import { unknownName } from "../format/unknown-name.js";
import { type OperationName, operationNamed } from "../vectors/operation.js";
import { operationSubject } from "../vectors/operation-subject.js";
import { roundingTo } from "./check-rounding.js";
import { type Checked, type CheckOptions, check } from "./mismatch.js";

/** What is asked of somebody's operation. */
export interface OperationCheck extends CheckOptions, Pick<RoundOptions, "rounding" | "overflow"> {
  /** `exact` (default): the exact result, rounded once. `fp32`: computed in fp32, then rounded, as GPUs do. */
  readonly opmath?: Opmath;
}

/**
 * Checks an operation on numbers of a format: with every operand there is where that are at most 2^18 (two operands of 8 bits,
 * one of 16), else with those whose results lie on, or a hair from, numbers and midpoints, in the subnormal range, and where
 * they overflow.
 *
 * @param mine takes as many numbers of the format as the operation has operands, and for `stochastic` random bits after them.
 * @param operation `add sub mul div sqrt fma`.
 * @param format of operands and results: a format or its name.
 * @param options rounding, overflow, opmath.
 * @returns how many cases were right, and whether they were all there are.
 * @throws ArithmeticMismatch if any is wrong; RangeError for an unknown name.
 * @example checkOperation((a, b) => Math.fround(a + b), "add", "fp32").exhaustive; // false
 */
export function checkOperation(
  mine: (...operands: number[]) => number,
  operation: OperationName,
  format: Format | string,
  options: OperationCheck = {},
): Checked {
  const { opmath = "exact" } = options;
  if (!opmaths.includes(opmath)) throw unknownName("opmath", String(opmath), opmaths);
  const resolved = operationNamed(operation);
  const to = roundingTo(format, options);
  const isStochastic = to.rounding === "stochastic";
  return check(
    operationSubject(resolved, to, opmath),
    ({ operands, randomBits }) =>
      mine(...operands.slice(0, resolved.operands), ...(isStochastic ? [randomBits] : [])),
    options,
  );
}
