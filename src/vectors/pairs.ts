import { type CodeArray, encodeArray } from "../engine/arrays.js";
import { decodeTable } from "../format/encode.js";
import { format } from "../format/registry.js";
import type { VectorSettings } from "./settings.js";

/** Every pair of operands of an operation, by the first one: what an exhaustive table has, many times faster. */
export interface Pairs {
  /** How many codes there are. */
  readonly codes: number;
  readonly digits: number;
  /** The codes of the results of one code with every code, in their order; valid until the next call. */
  results(first: number): CodeArray;
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
  };
}
