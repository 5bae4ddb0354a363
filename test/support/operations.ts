import type { Format } from "../../src/format/format.js";
import {
  add,
  div,
  fma,
  mul,
  type OperationOptions,
  type Opmath,
  sqrt,
  sub,
} from "../../src/format/operations.js";
import {
  type ExactResult,
  exactProduct,
  exactProductSum,
  exactQuotient,
  exactRoot,
  exactSum,
  type Located,
  locate,
  locateThroughFloat32,
  roundLocated,
} from "./exact.js";
import { allRoundings, type OracleOverflow } from "./oracle.js";
import type { Subject } from "./subjects.js";

/** An operation under test and its exact result, as functions of three operands, some of which they may ignore. */
export interface OperationCase {
  readonly name: "add" | "sub" | "mul" | "div" | "sqrt" | "fma";
  readonly operands: 1 | 2 | 3;
  readonly apply: (a: number, b: number, c: number, format: Format, options: OperationOptions) => number;
  readonly exact: (a: number, b: number, c: number) => ExactResult;
}

export const operationCases: readonly OperationCase[] = [
  { name: "add", operands: 2, apply: (a, b, _, f, o) => add(a, b, f, o), exact: exactSum },
  { name: "sub", operands: 2, apply: (a, b, _, f, o) => sub(a, b, f, o), exact: (a, b) => exactSum(a, -b) },
  { name: "mul", operands: 2, apply: (a, b, _, f, o) => mul(a, b, f, o), exact: exactProduct },
  { name: "div", operands: 2, apply: (a, b, _, f, o) => div(a, b, f, o), exact: exactQuotient },
  { name: "sqrt", operands: 1, apply: (a, _, __, f, o) => sqrt(a, f, o), exact: exactRoot },
  { name: "fma", operands: 3, apply: fma, exact: exactProductSum },
];

/** How each opmath locates an exact result. */
export const locators = { fp32: locateThroughFloat32, exact: locate } as const;

/** Where results are compared: `Mismatches` in tests, a plain count in long runs. */
export interface Comparison {
  compare(actual: number, expected: number, describe: () => string): void;
}

export interface Setting {
  readonly subject: Subject;
  readonly opmath: Opmath;
  readonly overflow: OracleOverflow;
  /** Random bits to try besides those that decide. */
  readonly randomBits: number;
}

/**
 * Compares an operation under every rounding, for stochastic rounding at the deciding random bits, and returns the
 * located exact result.
 */
export function compareEveryRounding(
  operation: OperationCase,
  [a = 0, b = 0, c = 0]: readonly number[],
  { subject: { record, oracle }, opmath, overflow, randomBits: someBits }: Setting,
  to: Comparison,
): Located {
  const located = locators[opmath](operation.exact(a, b, c), oracle);
  for (const rounding of allRoundings) {
    for (const randomBits of rounding === "stochastic" ? decidingBits(located, someBits) : [someBits]) {
      const actual = operation.apply(a, b, c, record, { rounding, overflow, opmath, randomBits });
      to.compare(actual, roundLocated(located, oracle, rounding, overflow, randomBits), () => {
        const operands = [a, b, c].slice(0, operation.operands).map(shown).join(", ");
        const bits = rounding === "stochastic" ? ` with ${randomBits}` : "";
        return `${operation.name}(${operands}) to ${record.name}, ${opmath}, ${rounding}${bits}, ${overflow}`;
      });
    }
  }
  return located;
}

/** The random bits on either side of the threshold of stochastic rounding, and some others. */
function decidingBits(located: Located, someBits: number): number[] {
  if (!("place" in located) || located.place.fraction === 0) return [someBits, 0xffff_ffff];
  const deciding = 2 ** 32 - located.place.fraction;
  return [someBits, deciding - 1, deciding];
}

function shown(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}
