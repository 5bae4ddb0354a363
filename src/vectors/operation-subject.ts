import { codeOf, decode } from "../format/encode.js";
import type { Opmath } from "../format/operations.js";
import { withCode } from "./describe.js";
import { Draw } from "./draw.js";
import { flagBits, flagsOf } from "./flags.js";
import { describeNumber, nameOf, numberResults, randomBitsFor } from "./number-results.js";
import type { Operation } from "./operation.js";
import { hasFewOperands, operationInputs } from "./operation-inputs.js";
import { type OperationQuestion, operationMistakes } from "./operation-mistakes.js";
import type { RoundingTo } from "./rounding-to.js";
import { column, type Subject } from "./subject.js";

const letters = ["a", "b", "c"];

/** An operation on numbers of a format, with its result in the same format. */
export function operationSubject(
  operation: Operation,
  to: RoundingTo,
  opmath: Opmath,
): Subject<OperationQuestion, number> {
  const { format, rounding, overflow } = to;
  if (!format.signed) {
    throw new RangeError(`${format.name} holds scales: expected a format of numbers with a sign`);
  }
  const { name, operands: count } = operation;
  const isStochastic = rounding === "stochastic";
  const code = (x: number) => codeOf(x, format);
  return {
    ...numberResults(format),
    name: `${name} of ${nameOf(to)}${opmath === "fp32" ? " through fp32" : ""}`,
    inputs: [
      ...letters.slice(0, count).map((letter) => column(letter, format.bits)),
      ...(isStochastic ? [column("random", 32)] : []),
    ],
    exhaustive: hasFewOperands(operation, format),
    *questions(level, seed) {
      const draw = new Draw(seed, `${name} ${format.name}`);
      for (const operands of operationInputs(operation, format, level, draw)) {
        const bits = isStochastic ? randomBitsFor(operation.exact(...operands), to, draw) : [0];
        for (const randomBits of bits) yield { operands, randomBits };
      }
    },
    answer({ operands: [a, b, c], randomBits }) {
      const result = operation.apply(a, b, c, format, { rounding, overflow, opmath, randomBits });
      return Number.isNaN(result) && !format.hasNaN ? null : result;
    },
    write({ operands, randomBits }, words, at) {
      for (let i = 0; i < count; i++) words[at + i] = code(operands[i]);
      if (isStochastic) words[at + count] = randomBits;
    },
    read(words, at) {
      const operand = (i: number) => (i < count ? decode(words[at + i], format) : 0);
      return {
        operands: [operand(0), operand(1), operand(2)],
        randomBits: isStochastic ? words[at + count] : 0,
      };
    },
    mistakes: () => operationMistakes(operation, to, opmath),
    describe(compared) {
      const { operands, randomBits } = compared.question;
      const given = operands.slice(0, count).map((x) => withCode(x, format));
      return describeNumber(`${name}(${given.join(", ")})`, to, randomBits, compared);
    },
    flags({ operands }, answer) {
      const [a, b] = operands;
      const byZero = name === "div" && b === 0 && a !== 0 && Number.isFinite(a);
      if (byZero) return flagBits.infinite;
      return flagsOf(operation.exact(...operands), answer, to, operands.slice(0, count).some(Number.isNaN));
    },
  };
}
