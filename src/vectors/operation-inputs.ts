import { codeOf, decode, decodeMagnitude } from "../format/encode.js";
import type { Format } from "../format/format.js";
import type { Draw } from "./draw.js";
import { hardOperands } from "./hard-operands.js";
import type { Operation } from "./operation.js";
import type { Level } from "./rounding-inputs.js";

/** Operands of so many bits together are all in level 2. */
const enumerableBits = 18;

/** Whether level 2 has every tuple of operands. */
export function hasFewOperands({ operands }: Operation, format: Format): boolean {
  return operands * format.bits <= enumerableBits;
}

/** How many numbers of a format stand for it in level 1, of an operation of one, two and three operands. */
const numbersOfLevel1 = [0, 4096, 90, 18];

/**
 * Tuples of three operands, of which an operation may ignore some. Level 1: every tuple of the numbers that mark a
 * format's range, then hard ones; level 2 more of them, or all that there are; exhaustive all.
 */
export function* operationInputs(
  operation: Operation,
  format: Format,
  level: Level,
  draw: Draw,
): Generator<readonly [number, number, number]> {
  const { operands, name } = operation;
  if (level === "exhaustive" || hasFewOperands(operation, format)) {
    for (const a of numbersOf(format)) {
      for (const b of operands > 1 ? numbersOf(format) : [0]) {
        for (const c of operands > 2 ? numbersOf(format) : [0]) yield [a, b, c];
      }
    }
    return;
  }
  const marks = markingNumbers(format, numbersOfLevel1[operands]);
  for (const a of marks) {
    for (const b of operands > 1 ? marks : [0]) for (const c of operands > 2 ? marks : [0]) yield [a, b, c];
  }
  const hard = level === "1" ? 10_000 : 120_000;
  for (let i = 0; i < hard; i++) yield hardOperands(name, draw, format);
}

/** Every number of a format, by code; NaN once, whatever codes it has. */
function* numbersOf(format: Format): Generator<number> {
  for (let code = 0; code < 2 ** format.bits; code++) {
    const x = decode(code, format);
    if (!Number.isNaN(x) || codeOf(x, format) === code) yield x;
  }
}

/** Of both signs: zero, the ends of the subnormal and normal ranges, Inf, NaN, and numbers of all sizes in between. */
export function markingNumbers(format: Format, count: number): number[] {
  const { maxFiniteCode, precision, hasInfinity, hasNaN, unsignedZero } = format;
  const binade = 2 ** (precision - 1);
  const one = format.bias * binade;
  const codes = new Set([0, 1, 2, binade - 1, binade, binade + 1, one - 1, one, one + 1, one + binade / 2]);
  for (const code of [maxFiniteCode - binade, maxFiniteCode - 1, maxFiniteCode]) codes.add(code);
  // Every tuple of bits but the last is met about as often as any other.
  const stride = Math.max(1, Math.floor((2 * maxFiniteCode) / count)) | 1;
  for (let code = stride; code <= maxFiniteCode && codes.size < count / 2; code += stride) codes.add(code);
  const numbers = [...codes]
    .filter((code) => code >= 0 && code <= maxFiniteCode)
    .slice(0, Math.max(4, count / 2))
    .map((code) => decodeMagnitude(code, format));
  if (hasInfinity) numbers.push(Infinity);
  const signed = numbers.flatMap((x) => (x === 0 && unsignedZero ? [0] : [x, -x]));
  return hasNaN ? [...signed, NaN] : signed;
}
