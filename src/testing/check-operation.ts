import type { Format } from "../format/format.js";
import type { Opmath } from "../format/operations.js";
import { formatOf } from "../format/registry.js";
import { checkedOptions, type RoundOptions } from "../format/round.js";
import { Collected } from "../vectors/collected.js";
import { describeFailure, withCode } from "../vectors/describe.js";
import { Draw } from "../vectors/draw.js";
import { kindOf, sameNumber } from "../vectors/mistake.js";
import { type OperationName, operationNamed } from "../vectors/operation.js";
import { hasFewOperands, operationInputs } from "../vectors/operation-inputs.js";
import { type OperationQuestion, operationMistakes } from "../vectors/operation-mistakes.js";
import type { Level } from "../vectors/rounding-inputs.js";
import type { RoundingTo } from "../vectors/rounding-mistakes.js";
import { bitsShown, nameOf, randomBitsFor, ulpsOf } from "./check-rounding.js";
import { ArithmeticMismatch, type Checked } from "./mismatch.js";

/** What is asked of somebody's operation. */
export interface OperationCheck extends Pick<RoundOptions, "rounding" | "overflow"> {
  /** `exact` (default): the exact result, rounded once. `fp32`: computed in fp32, then rounded, as GPUs do. */
  readonly opmath?: Opmath;
  /** 1: some ten thousand operands; 2 (default): all of narrow formats, else hard ones. */
  readonly level?: 1 | 2;
  /** Of the random operands. Default 0. */
  readonly seed?: number;
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
  const { rounding, overflow, opmath = "exact", level = 2, seed = 0 } = options;
  const of = operationNamed(operation);
  const storage = formatOf(format);
  if (!storage.signed)
    throw new RangeError(`${storage.name} holds scales: expected a format of numbers with a sign`);
  const checked = checkedOptions({
    ...(rounding && { rounding }),
    ...(overflow && { overflow }),
    randomBits: 0,
  });
  const to: RoundingTo = { format: storage, rounding: checked.by, overflow: checked.overflow };
  const draw = new Draw(seed, `${operation} ${storage.name}`);
  const results = new Collected<OperationQuestion, number>(sameNumber, ({ expected, found }) =>
    kindOf(expected, found, ulpsOf(storage)),
  );
  const asked = { rounding: to.rounding, overflow: to.overflow, opmath };
  const isStochastic = to.rounding === "stochastic";
  for (const operands of operationInputs(of, storage, String(level) as Level, draw)) {
    const [a, b, c] = operands;
    const given = operands.slice(0, of.operands);
    const bits = isStochastic ? randomBitsFor(of.exact(a, b, c), to, draw) : [0];
    for (const randomBits of bits) {
      const expected = of.apply(a, b, c, storage, { ...asked, randomBits });
      // Numbers of formats without NaN have no result to 0 / 0.
      if (Number.isNaN(expected) && !storage.hasNaN) continue;
      results.add({ operands, randomBits }, expected, mine(...given, ...(isStochastic ? [randomBits] : [])));
    }
  }
  const outcome = results.outcome(() => operationMistakes(of, to));
  if (outcome.wrong > 0) {
    const line = ({ operands, randomBits }: OperationQuestion, expected: number, found: number) => {
      const given = operands.slice(0, of.operands).map((x) => withCode(x, storage));
      const result = `${withCode(found, storage)}, expected ${withCode(expected, storage)}`;
      return `${operation}(${given.join(", ")})${bitsShown(to, randomBits)} gives ${result}`;
    };
    const name = `${operation} of ${nameOf(to)}${opmath === "fp32" ? " through fp32" : ""}`;
    throw new ArithmeticMismatch(
      describeFailure(name, outcome, line),
      outcome.cases,
      outcome.wrong,
      outcome.mistakes,
    );
  }
  return { cases: outcome.cases, exhaustive: hasFewOperands(of, storage) };
}
