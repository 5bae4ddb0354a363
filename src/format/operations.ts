import { productTail, sumTail } from "./float64.js";
import type { Format } from "./format.js";
import { format as formatNamed, formatOf } from "./registry.js";
import { checkedOptions, type Overflow, type Rounding, type RoundOptions, roundSum } from "./round.js";
import { unknownName } from "./unknown-name.js";

/**
 * Arithmetic on numbers of fp32 or narrower formats, with results in a storage format. Each operation
 * computes the exact result as a fp64 number and a tail (an error-free transformation), then rounds.
 */

/**
 * How an operation on stored numbers is computed. `fp32`: in fp32 with nearest-even, then rounded to the storage
 * format, as PyTorch, JAX and GPUs do for bf16 and fp16 tensors. `exact`: the exact result, rounded once.
 */
export const opmaths = ["fp32", "exact"] as const;
export type Opmath = (typeof opmaths)[number];

export interface OperationOptions extends RoundOptions {
  /** Default `fp32`. */
  readonly opmath?: Opmath;
}

/** Complete rounding settings. */
export interface ResultRounding {
  readonly format: Format;
  readonly rounding: Rounding;
  readonly overflow: Overflow;
  readonly opmath: Opmath;
}

const fp32 = formatNamed("fp32");

/**
 * a + b.
 *
 * @param a a number of fp32 or a narrower format.
 * @param b likewise.
 * @param format the result's format, or its name.
 * @param options opmath and rounding.
 * @returns a number of the format, Inf or NaN.
 * @throws TypeError and RangeError as {@link round}; RangeError for an unknown opmath.
 * @example add(1, 2 ** -9, "bf16"); // 1
 */
export function add(a: number, b: number, format: Format | string, options?: OperationOptions): number {
  return addTo(a, b, resultRounding(format, options), options?.randomBits ?? 0);
}

/**
 * a - b.
 *
 * @param a a number of fp32 or a narrower format.
 * @param b likewise.
 * @param format the result's format, or its name.
 * @param options opmath and rounding.
 * @returns a number of the format, Inf or NaN.
 * @throws TypeError and RangeError as {@link round}; RangeError for an unknown opmath.
 * @example sub(1, 2 ** -9, "bf16", { rounding: "toward-zero", opmath: "exact" }); // 0.99609375
 */
export function sub(a: number, b: number, format: Format | string, options?: OperationOptions): number {
  return add(a, -b, format, options);
}

/**
 * a b.
 *
 * @param a a number of fp32 or a narrower format.
 * @param b likewise.
 * @param format the result's format, or its name.
 * @param options opmath and rounding.
 * @returns a number of the format, Inf or NaN.
 * @throws TypeError and RangeError as {@link round}; RangeError for an unknown opmath.
 * @example mul(1.5, 1.5, "e4m3fn"); // 2.25
 */
export function mul(a: number, b: number, format: Format | string, options?: OperationOptions): number {
  // 24 + 24 bits fit into 53.
  return settle(a * b, 0, resultRounding(format, options), options?.randomBits ?? 0);
}

/**
 * a / b.
 *
 * @param a a number of fp32 or a narrower format.
 * @param b likewise.
 * @param format the result's format, or its name.
 * @param options opmath and rounding.
 * @returns a number of the format, Inf or NaN.
 * @throws TypeError and RangeError as {@link round}; RangeError for an unknown opmath.
 * @example div(1, 3, "bf16"); // 0.333984375
 */
export function div(a: number, b: number, format: Format | string, options?: OperationOptions): number {
  const quotient = a / b;
  return settle(
    quotient,
    quotientTail(a, b, quotient),
    resultRounding(format, options),
    options?.randomBits ?? 0,
  );
}

/**
 * The square root of a.
 *
 * @param a a number of fp32 or a narrower format.
 * @param format the result's format, or its name.
 * @param options opmath and rounding.
 * @returns a number of the format, Inf or NaN.
 * @throws TypeError and RangeError as {@link round}; RangeError for an unknown opmath.
 * @example sqrt(2, "fp16"); // 1.4140625
 */
export function sqrt(a: number, format: Format | string, options?: OperationOptions): number {
  const root = Math.sqrt(a);
  return settle(root, rootTail(a, root), resultRounding(format, options), options?.randomBits ?? 0);
}

/**
 * a b + c, rounded once.
 *
 * @param a a number of fp32 or a narrower format.
 * @param b likewise.
 * @param c likewise.
 * @param format the result's format, or its name.
 * @param options opmath and rounding.
 * @returns a number of the format, Inf or NaN.
 * @throws TypeError and RangeError as {@link round}; RangeError for an unknown opmath.
 * @example fma(1.0078125, 1.0078125, -1, "fp16"); // 0.01568603515625
 */
export function fma(
  a: number,
  b: number,
  c: number,
  format: Format | string,
  options?: OperationOptions,
): number {
  return fmaTo(a, b, c, resultRounding(format, options), options?.randomBits ?? 0);
}

/** {@link add} with complete settings. */
export function addTo(a: number, b: number, to: ResultRounding, randomBits: number): number {
  const sum = a + b;
  // fp64 holds 53 >= 2 * 24 + 2 bits: rounding a sum, product, quotient or root of fp32 numbers to fp64 and
  // then to fp32 equals a single rounding (Figueroa, "When is double rounding innocuous?", 1995).
  if (to.opmath === "fp32") return store(Math.fround(sum), 0, to, randomBits);
  return store(signedZero(sum, a, b, to), finiteTail(sum, sumTail(a, b, sum)), to, randomBits);
}

/** {@link fma} with complete settings. */
export function fmaTo(a: number, b: number, c: number, to: ResultRounding, randomBits: number): number {
  const product = a * b;
  const sum = product + c;
  const tail = finiteTail(sum, sumTail(product, c, sum));
  // Three terms: here rounding through fp64 would not be innocuous.
  if (to.opmath === "fp32") {
    return store(roundSum(sum, tail, fp32, "nearest-even", "ieee", 0), 0, to, randomBits);
  }
  return store(signedZero(sum, product, c, to), tail, to, randomBits);
}

function settle(x: number, tail: number, to: ResultRounding, randomBits: number): number {
  return to.opmath === "fp32" ? store(Math.fround(x), 0, to, randomBits) : store(x, tail, to, randomBits);
}

function store(
  x: number,
  tail: number,
  { format, rounding, overflow }: ResultRounding,
  randomBits: number,
): number {
  return roundSum(x, tail, format, rounding, overflow, randomBits);
}

function resultRounding(format: Format | string, options: OperationOptions = {}): ResultRounding {
  const { opmath = "fp32" } = options;
  const { by, overflow } = checkedOptions(options);
  if (!opmaths.includes(opmath)) throw unknownName("opmath", String(opmath), opmaths);
  return { format: formatOf(format), rounding: by, overflow, opmath };
}

/**
 * IEEE 754-2019, 6.3: an exact zero from terms of opposite signs, including two zeros, is -0 under
 * toward-negative.
 */
function signedZero(sum: number, a: number, b: number, { rounding }: ResultRounding): number {
  if (sum !== 0 || rounding !== "toward-negative") return sum;
  return Object.is(a, 0) && Object.is(b, 0) ? 0 : -0;
}

function finiteTail(x: number, tail: number): number {
  return Number.isFinite(x) ? tail : 0;
}

/** a / b - quotient, correct to fp64: the remainder of a division is an exact fp64 number. */
function quotientTail(a: number, b: number, quotient: number): number {
  if (quotient === 0 || !Number.isFinite(quotient)) return 0;
  const product = quotient * b;
  return (a - product - productTail(quotient, b, product)) / b;
}

/** sqrt(a) - root, correct to fp64 (one Newton step; the next term is below 2^-108 of the root). */
function rootTail(a: number, root: number): number {
  if (root === 0 || !Number.isFinite(root)) return 0;
  const square = root * root;
  return (a - square - productTail(root, root, square)) / (2 * root);
}
