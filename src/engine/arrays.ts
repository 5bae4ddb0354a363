import { codeOf, decode as decodeNumber, decodeTable } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { formatOf } from "../format/registry.js";
import { checkedOptions, type RoundOptions, roundSum } from "../format/round.js";
import { isEncodable } from "./lane/encode.js";
import {
  type ArrayKernels,
  type ArrayRounding,
  arrayKernels,
  atOnce,
  codeArray,
} from "./wasm/arrays/kernels.js";

/** Numbers of fp32 or fp64. */
export type NumberArray = Float32Array | Float64Array;
/** Codes of up to 8, 16 and 32 bits, one per element. */
export type CodeArray = Uint8Array | Uint16Array | Uint32Array;

export interface ArrayOptions extends Omit<RoundOptions, "randomBits"> {
  /** For `stochastic`: 32 random bits for each number. */
  readonly randomBits?: Uint32Array;
}

/**
 * Up to this precision, fp64 is rounded correctly through fp32 rounded to odd (see addToOdd of
 * lane/arithmetic.ts).
 */
const mostByWayOfOdd = 22;

/**
 * Rounds numbers to a format like {@link round}, with WebAssembly SIMD if available.
 *
 * @param x numbers in fp32 or fp64; not modified.
 * @param format a format or its name.
 * @param options rounding, overflow, random bits for each number.
 * @param into the result array, of the same length; default a new one. It may be `x`.
 * @returns numbers of the format, as fp32 (which holds them all).
 * @throws TypeError and RangeError as {@link round}; RangeError for random bits or a result array of another
 * length, TypeError for those of another type.
 * @example roundArray(Float64Array.of(1 + 2 ** -8 + 2 ** -40, 70000), "bf16"); // Float32Array.of(1.0078125, 70144)
 */
export function roundArray(
  x: NumberArray,
  format: Format | string,
  options: ArrayOptions = {},
  into: Float32Array = new Float32Array(x.length),
): Float32Array {
  const to = roundingOf(x, format, options);
  expectArray("into", into, Float32Array, x.length);
  const { randomBits } = options;
  const kernels = kernelsFor(x, to);
  if (kernels === null) {
    for (let i = 0; i < x.length; i++) into[i] = roundOne(x[i], to, randomBits?.[i] ?? 0);
    return into;
  }
  forEachPiece(x, kernels, randomBits, (start, count) => {
    kernels.round(count);
    into.set(piece(kernels.numbers, count), start);
  });
  return into;
}

/**
 * Rounds numbers and returns their codes, like {@link encode}.
 *
 * @param x numbers of fp32 or fp64.
 * @param format a format or its name.
 * @param options rounding, overflow, random bits for each number.
 * @param into the result array, of the returned type and the same length; default a new one.
 * @returns codes, one per element: a Uint8Array for formats of at most 8 bits, a Uint16Array up to 16, else a
 * Uint32Array.
 * @throws TypeError and RangeError as {@link encode}; RangeError for random bits or a result array of another
 * length, TypeError for those of another type.
 * @example encodeArray(Float32Array.of(1, -2), "bf16"); // Uint16Array.of(0x3f80, 0xc000)
 */
export function encodeArray(
  x: NumberArray,
  format: Format | string,
  options: ArrayOptions = {},
  into?: CodeArray,
): CodeArray {
  const to = roundingOf(x, format, options);
  const kind = codeArray(to.format);
  const codes = into ?? new kind(x.length);
  expectArray("into", codes, kind, x.length);
  const { randomBits } = options;
  const kernels = isEncodable(to.format) ? kernelsFor(x, to) : null;
  if (kernels === null) {
    for (let i = 0; i < x.length; i++) codes[i] = codeOf(roundOne(x[i], to, randomBits?.[i] ?? 0), to.format);
    return codes;
  }
  forEachPiece(x, kernels, randomBits, (start, count) => {
    if (!to.format.hasNaN) expectNoNaN(piece(kernels.numbers, count), to.format);
    kernels.encode(count);
    codes.set(piece(kernels.codes, count), start);
  });
  return codes;
}

/**
 * Decodes an array of codes, like {@link decode}.
 *
 * @param codes codes of the format, one per element.
 * @param format a format or its name.
 * @returns fp32 numbers, NaN for every NaN code.
 * @throws RangeError for an invalid code or an unknown format.
 * @example decodeArray(Uint8Array.of(0x38, 0x7e), "e4m3fn"); // Float32Array.of(1, 448)
 */
export function decodeArray(codes: CodeArray, format: Format | string): Float32Array {
  const resolved = formatOf(format);
  const numbers = new Float32Array(codes.length);
  const isOwn = codes instanceof codeArray(resolved);
  const hasKernel =
    (resolved.bits === 8 || resolved.bits === 16) && resolved.signed && resolved.subnormals && isOwn;
  const kernels = hasKernel
    ? arrayKernels({ format: resolved, rounding: "nearest-even", overflow: "ieee" })
    : null;
  if (kernels !== null) {
    for (let start = 0; start < codes.length; start += atOnce) {
      const count = Math.min(atOnce, codes.length - start);
      kernels.codes.set(codes.subarray(start, start + count));
      kernels.decode(count);
      numbers.set(piece(kernels.numbers, count), start);
    }
    return numbers;
  }
  const table = resolved.bits <= 16 ? decodeTable(resolved) : null;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    // Codes outside the table are refused.
    numbers[i] = table !== null && code < table.length ? table[code] : decodeNumber(code, resolved);
  }
  return numbers;
}

function roundingOf(x: NumberArray, format: Format | string, options: ArrayOptions): ArrayRounding {
  const { randomBits, ...given } = options;
  const hasBits = randomBits !== undefined;
  const { by, overflow } = checkedOptions({ ...given, ...(hasBits && { randomBits: 0 }) });
  if (hasBits) expectArray("randomBits", randomBits, Uint32Array, x.length);
  return { format: formatOf(format), rounding: by, overflow };
}

function expectArray(
  what: string,
  found: NumberArray | CodeArray,
  kind: (new (length: number) => NumberArray | CodeArray) & { readonly name: string },
  length: number,
): void {
  if (!(found instanceof kind)) {
    const is = ArrayBuffer.isView(found) ? (found as CodeArray).constructor.name : String(found);
    throw new TypeError(`${what}: expected a ${kind.name}, found ${is}`);
  }
  if (found.length !== length) {
    throw new RangeError(`${what}: expected ${length} elements, found ${found.length}`);
  }
}

function expectNoNaN(numbers: Float32Array, { name }: Format): void {
  for (let i = 0; i < numbers.length; i++) {
    if (Number.isNaN(numbers[i])) throw new RangeError(`${name} has no code for NaN`);
  }
}

function roundOne(x: number, { format, rounding, overflow }: ArrayRounding, randomBits: number): number {
  return roundSum(x, 0, format, rounding, overflow, randomBits);
}

/**
 * Null if there is no vectorized kernel: no SIMD, unsigned scale formats, fp64 input that cannot be rounded through
 * fp32.
 */
function kernelsFor(x: NumberArray, to: ArrayRounding): ArrayKernels | null {
  const isReached =
    x instanceof Float32Array || (to.format.precision <= mostByWayOfOdd && to.rounding !== "stochastic");
  return isReached && to.format.signed ? arrayKernels(to) : null;
}

function forEachPiece(
  x: NumberArray,
  kernels: ArrayKernels,
  randomBits: Uint32Array | undefined,
  work: (start: number, count: number) => void,
): void {
  const { numbers, random } = kernels;
  for (let start = 0; start < x.length; start += atOnce) {
    const count = Math.min(atOnce, x.length - start);
    if (x instanceof Float32Array) numbers.set(x.subarray(start, start + count));
    else toOdd(x, start, count, kernels);
    if (randomBits) random.set(randomBits.subarray(start, start + count));
    work(start, count);
  }
}

/** fp64 numbers rounded to odd in fp32. */
function toOdd(x: Float64Array, start: number, count: number, { numbers, numberBits }: ArrayKernels): void {
  for (let i = 0; i < count; i++) {
    const given = x[start + i];
    numbers[i] = given;
    const near = numbers[i];
    // The quiet bit preserves NaN.
    if (near === given || Number.isNaN(near)) continue;
    const bits = numberBits[i];
    if ((bits & 1) === 1) continue;
    // Overflow of a finite number too: the largest fp32 number, just below infinity, is odd.
    numberBits[i] = Math.abs(near) > Math.abs(given) ? bits - 1 : bits + 1;
  }
}

function piece<T extends Float32Array | CodeArray>(data: T, count: number): T {
  return (count === data.length ? data : data.subarray(0, count)) as T;
}
