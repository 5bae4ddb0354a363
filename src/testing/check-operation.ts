import type { Format } from "../format/format.js";
import { type Opmath, opmaths } from "../format/operations.js";
import type { RoundOptions } from "../format/round.js";
import { unknownName } from "../format/unknown-name.js";
import { type OperationName, operationNamed } from "../vectors/operation.js";
import { operationSubject } from "../vectors/operation-subject.js";
import { roundingTo } from "./check-rounding.js";
import { type Checked, type CheckOptions, check, expectFunction } from "./mismatch.js";

/** Options for checking an operation. */
export interface OperationCheck extends CheckOptions, Pick<RoundOptions, "rounding" | "overflow"> {
  /** `exact` (default): the exact result, rounded once. `fp32`: computed in fp32, then rounded, as GPUs do. */
  readonly opmath?: Opmath;
}

/**
 * Checks an operation on numbers of a format: with every operand if there are at most 2^18 combinations (two
 * operands of 8 bits, one of 16), otherwise with operands whose results lie on or very near numbers and
 * midpoints, in the subnormal range, and at overflow.
 *
 * @param mine the function under test: takes the operands, and for `stochastic` random bits after them.
 * @param operation `add sub mul div sqrt fma`.
 * @param format the format of operands and results, or its name.
 * @param options rounding, overflow, opmath.
 * @returns the number of cases, and whether these were all.
 * @throws ArithmeticMismatch if any is wrong; RangeError for an unknown name or level, TypeError without a function.
 * @example checkOperation((a, b) => Math.fround(a + b), "add", "fp32").exhaustive; // false
 */
export function checkOperation(
  mine: (...operands: number[]) => number,
  operation: OperationName,
  format: Format | string,
  options: OperationCheck = {},
): Checked {
  expectFunction(mine);
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
