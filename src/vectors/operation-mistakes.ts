import type { Opmath } from "../format/operations.js";
import { format } from "../format/registry.js";
import { round, roundSum } from "../format/round.js";
import type { Mistake } from "./mistake.js";
import type { Operation } from "./operation.js";
import { roundingMistakes } from "./rounding-mistakes.js";
import type { RoundingTo } from "./rounding-to.js";

export interface OperationQuestion {
  readonly operands: readonly [number, number, number];
  readonly randomBits: number;
}

type Wrong = (a: number, b: number, c: number, bits: number) => number;
/** The last rounding of a result, as it should be. */
type Last = (x: number, bits: number) => number;
type Row = readonly [name: string, says: string, wrong: Wrong];

/** All known mistakes of an operation: its own, and those of rounding its result, which opmath `fp32` has in fp32. */
export function operationMistakes(
  operation: Operation,
  to: RoundingTo,
  opmath: Opmath,
): Mistake<OperationQuestion, number>[] {
  const computed = opmath === "fp32" ? Math.fround : (x: number) => x;
  const last = (x: number, bits: number) =>
    roundSum(computed(x), 0, to.format, to.rounding, to.overflow, bits);
  const own = [...ofOperation(operation, to, last), ...flushed(operation, to, last)].map(
    ([name, says, wrong]) => ({
      name,
      says,
      answer: ({ operands: [a, b, c], randomBits }: OperationQuestion) => wrong(a, b, c, randomBits),
    }),
  );
  const ofRounding = roundingMistakes(to).map(({ name, says, answer }) => ({
    name,
    says,
    answer: ({ operands: [a, b, c], randomBits }: OperationQuestion) =>
      answer({ x: computed(operation.exact(a, b, c)), randomBits }),
  }));
  return [...own, ...ofRounding];
}

function ofOperation({ name, exact }: Operation, to: RoundingTo, last: Last): Row[] {
  const near = (x: number) => roundSum(x, 0, to.format, "nearest-even", to.overflow, 0);
  const fl = Math.fround;
  switch (name) {
    case "fma":
      return [
        [
          "two roundings",
          "the product rounded before the sum",
          (a, b, c, bits) => last(near(a * b) + c, bits),
        ],
        [
          "through fp32",
          "the product and the sum rounded to fp32 first",
          (a, b, c, bits) => last(fl(fl(a * b) + c), bits),
        ],
        [
          "through fp32",
          "the sum rounded to fp32 first",
          (a, b, c, bits) => last(round(exact(a, b, c), format("fp32")), bits),
        ],
        ["through fp64", "the sum rounded to fp64 first", (a, b, c, bits) => last(a * b + c, bits)],
      ];
    case "div":
      return [
        ["reciprocal", "a times the rounded reciprocal of b", (a, b, _, bits) => last(a * near(1 / b), bits)],
        [
          "reciprocal",
          "a times the reciprocal of b in fp32",
          (a, b, _, bits) => last(fl(a * fl(1 / b)), bits),
        ],
        ["reciprocal", "a times the reciprocal of b in fp32", (a, b, _, bits) => last(a * fl(1 / b), bits)],
      ];
    case "sqrt":
      return [
        [
          "reciprocal root",
          "a times the rounded reciprocal root of a",
          (a, _, __, bits) => last(a * near(1 / Math.sqrt(a)), bits),
        ],
        [
          "reciprocal root",
          "a times the reciprocal root of a in fp32",
          (a, _, __, bits) => last(fl(a * fl(1 / fl(Math.sqrt(a)))), bits),
        ],
      ];
    case "sub":
      return [["operands", "b - a instead of a - b", (a, b, _, bits) => last(b - a, bits)]];
    default:
      return [];
  }
}

function flushed({ exact, operands }: Operation, to: RoundingTo, last: Last): Row[] {
  const { minNormal, subnormals } = to.format;
  if (!subnormals) return [];
  const zero = (x: number) => (Math.abs(x) < minNormal ? (x < 0 || Object.is(x, -0) ? -0 : 0) : x);
  const inputs: Wrong = (a, b, c, bits) => last(exact(zero(a), zero(b), zero(c)), bits);
  const what = operands === 1 ? "a subnormal operand" : "subnormal operands";
  return [
    [
      "flushed subnormals",
      `flushed subnormals (${what} and results become 0)`,
      (a, b, c, bits) => zero(inputs(a, b, c, bits)),
    ],
    ["flushed subnormals", `flushed subnormals (${what} become 0)`, inputs],
  ];
}
