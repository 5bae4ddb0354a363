import { type CodeArray, encodeArray } from "../engine/arrays.js";
import { decodeTable } from "../format/encode.js";
import { sumTail } from "../format/float64.js";
import type { Format } from "../format/format.js";
import { format } from "../format/registry.js";
import { flagBits, flagsOf } from "./flags.js";
import { operationNamed } from "./operation.js";
import type { VectorSettings } from "./settings.js";

/**
 * Every operand pair of an operation, by first operand: the content of an exhaustive table, many times
 * faster.
 */
export interface Pairs {
  /** How many codes there are. */
  readonly codes: number;
  readonly digits: number;
  /** The codes of the results of one code with every code, in their order; valid until the next call. */
  results(first: number): CodeArray;
  /**
   * The exceptions that these results, those of the last call, raise (flags.ts); valid until the next call. Null where only
   * single rows tell.
   */
  readonly flags: ((first: number, results: CodeArray) => Uint8Array) | null;
}

/** Operations on rows, in fp64; an fp32 array then rounds them to fp32, which is one rounding in effect (see addTo). */
const onRows: Readonly<Record<string, (a: number, b: Float32Array, into: Float32Array) => void>> = {
  add: (a, b, into) => {
    for (let i = 0; i < b.length; i++) into[i] = a + b[i];
  },
  sub: (a, b, into) => {
    for (let i = 0; i < b.length; i++) into[i] = a - b[i];
  },
  mul: (a, b, into) => {
    for (let i = 0; i < b.length; i++) into[i] = a * b[i];
  },
  div: (a, b, into) => {
    for (let i = 0; i < b.length; i++) into[i] = a / b[i];
  },
};

/** Up to this precision an operation in fp32, rounded on to nearest-even, is the exact one rounded once (arithmetic.md). */
const mostThroughFp32 = 11;

/** Null where rows go by single operations: wide formats, results that fp32 does not lead to, formats without NaN. */
export function pairsOf(settings: VectorSettings): Pairs | null {
  const { level, operation, rounding, overflow, opmath } = settings;
  const onRow = onRows[operation];
  if (level !== "exhaustive" || onRow === undefined || rounding === "stochastic") return null;
  const resolved = format(settings.format);
  const isReached =
    opmath === "fp32" || (rounding === "nearest-even" && resolved.precision <= mostThroughFp32);
  if (!isReached || resolved.bits > 16 || !resolved.hasNaN || !resolved.signed) return null;
  const numbers = Float32Array.from(decodeTable(resolved));
  const row = new Float32Array(numbers.length);
  let found: CodeArray | undefined;
  return {
    codes: numbers.length,
    digits: Math.ceil(resolved.bits / 4),
    results(first) {
      onRow(numbers[first], numbers, row);
      found = encodeArray(row, resolved, { rounding, overflow }, found);
      return found;
    },
    flags: rounding === "nearest-even" ? flagsOn(operation, resolved, numbers) : null,
  };
}

/**
 * The result in fp64, and what that lacks of the exact one. A product of 11 bits by 11 lacks nothing, and a quotient of such
 * numbers is at least 2^-22 of itself away from every number of 11 bits that it does not equal.
 */
const inFloat64: Readonly<
  Record<string, { number: Operands; tail: (a: number, b: number, is: number) => number }>
> = {
  add: { number: (a, b) => a + b, tail: sumTail },
  sub: { number: (a, b) => a - b, tail: (a, b, is) => sumTail(a, -b, is) },
  mul: { number: (a, b) => a * b, tail: () => 0 },
  div: { number: (a, b) => a / b, tail: () => 0 },
};

type Operands = (a: number, b: number) => number;

/**
 * The flags of a row by two thresholds. Rounded without limits of the exponent, to nearest-even, results overflow from the
 * middle between the largest number and the one that would follow, and are tiny below the middle between the smallest
 * normal number and the one before it at full precision. Results next to these that fp64 does not hold go by flagsOf.
 */
function flagsOn(
  operation: string,
  to: Format,
  numbers: Float32Array,
): (first: number, results: CodeArray) => Uint8Array {
  const { maxFinite, minNormal, precision } = to;
  const rounding = { format: to, rounding: "nearest-even", overflow: "ieee" } as const;
  const { number, tail } = inFloat64[operation];
  const { exact } = operationNamed(operation);
  const gap = 2 ** (Math.floor(Math.log2(maxFinite)) + 1 - precision);
  const huge = maxFinite + gap / 2;
  const tiny = minNormal * (1 - 2 ** -(precision + 1));
  const flags = new Uint8Array(numbers.length);
  const { inexact, underflow, overflow, infinite, invalid } = flagBits;
  return (first, found) => {
    const a = numbers[first];
    for (let i = 0; i < flags.length; i++) {
      const b = numbers[i];
      const result = number(a, b);
      const magnitude = Math.abs(result);
      if (magnitude > tiny && magnitude < huge) {
        flags[i] = numbers[found[i]] === result && tail(a, b, result) === 0 ? 0 : inexact;
      } else if (magnitude < tiny) {
        const isExact = magnitude === 0 || (numbers[found[i]] === result && tail(a, b, result) === 0);
        flags[i] = isExact ? 0 : underflow | inexact;
      } else if (magnitude > huge) {
        if (magnitude !== Infinity) flags[i] = overflow | inexact;
        else flags[i] = operation === "div" && b === 0 && a !== 0 && Number.isFinite(a) ? infinite : 0;
      } else if (Number.isNaN(magnitude)) {
        flags[i] = Number.isNaN(a) || Number.isNaN(b) ? 0 : invalid;
      } else flags[i] = flagsOf(exact(a, b, 0), numbers[found[i]], rounding, false);
    }
    return flags;
  };
}
