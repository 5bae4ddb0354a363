import { productTail, sumTail } from "../format/float64.js";
import type { Format } from "../format/format.js";
import { add, div, fma, mul, type OperationOptions, sqrt, sub } from "../format/operations.js";
import { unknownName } from "../format/unknown-name.js";
import { roundedToOdd } from "./float64-bits.js";

/** An operation of arithmetic; operands that it does not have are ignored. */
export interface Operation {
  readonly name: OperationName;
  readonly operands: 1 | 2 | 3;
  apply(a: number, b: number, c: number, format: Format, options: OperationOptions): number;
  /**
   * The exact result rounded to odd in fp64: rounding it to any format here equals rounding the exact result.
   */
  exact(a: number, b: number, c: number): number;
}

export const operationNames = ["add", "sub", "mul", "div", "sqrt", "fma"] as const;
export type OperationName = (typeof operationNames)[number];

const exactSum = (a: number, b: number) => roundedToOdd(a + b, sumTail(a, b, a + b));

/** Operands are numbers of fp32 or of narrower formats, so that a product is a fp64 number. */
export const operations: Readonly<Record<OperationName, Operation>> = {
  add: {
    name: "add",
    operands: 2,
    apply: (a, b, _, format, options) => add(a, b, format, options),
    exact: exactSum,
  },
  sub: {
    name: "sub",
    operands: 2,
    apply: (a, b, _, format, options) => sub(a, b, format, options),
    exact: (a, b) => exactSum(a, -b),
  },
  mul: {
    name: "mul",
    operands: 2,
    apply: (a, b, _, format, options) => mul(a, b, format, options),
    exact: (a, b) => a * b,
  },
  div: {
    name: "div",
    operands: 2,
    apply: (a, b, _, format, options) => div(a, b, format, options),
    exact(a, b) {
      const quotient = a / b;
      if (quotient === 0 || !Number.isFinite(quotient)) return quotient;
      const product = quotient * b;
      return roundedToOdd(quotient, (a - product - productTail(quotient, b, product)) * Math.sign(b));
    },
  },
  sqrt: {
    name: "sqrt",
    operands: 1,
    apply: (a, _, __, format, options) => sqrt(a, format, options),
    exact(a) {
      const root = Math.sqrt(a);
      if (root === 0 || !Number.isFinite(root)) return root;
      const square = root * root;
      return roundedToOdd(root, a - square - productTail(root, root, square));
    },
  },
  fma: { name: "fma", operands: 3, apply: fma, exact: (a, b, c) => exactSum(a * b, c) },
};

/** @throws RangeError for an unknown name. */
export function operationNamed(name: string): Operation {
  const known = operationNames.find((candidate) => candidate === name);
  if (known === undefined) throw unknownName("operation", name, operationNames);
  return operations[known];
}
