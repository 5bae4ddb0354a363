import { codeOf, decode, decodeTable } from "../encode.js";
import type { Format } from "../format.js";
import { checkedOptions, type Rounding, roundSum } from "../round.js";
import type { BlockFormat } from "./block-format.js";
import { noTensorScale, type TensorScale } from "./scale-rule.js";

/** The numbers of a block as they are stored. */
export interface QuantizedBlock {
  /** A code of the element format for each number. */
  readonly codes: readonly number[];
  /** A number of the scale format. */
  readonly scale: number;
}

export interface ElementRounding {
  /** Default `nearest-even`. */
  readonly rounding?: Rounding;
  /**
   * For `stochastic`: 32 random bits for the number at an index. For hardware that draws k bits per element,
   * use the k leading bits and zeros elsewhere.
   */
  readonly randomBits?: ((index: number) => number) | undefined;
}

/**
 * One block in a format of shared scales: the specification of {@link quantize}. Elements beyond the largest
 * one are saturated. If the scale is NaN, all codes are 0; so is the code of a NaN if the element format has
 * none.
 *
 * @param numbers fp32 numbers, in any order.
 * @param tensorScale the rule's tensor scale; the default stands for none.
 * @throws TypeError if `stochastic` is not given `randomBits`.
 * @example quantizeBlock([1, 6], blockFormat("mxfp4")); // { codes: [2, 7], scale: 1 }
 */
export function quantizeBlock(
  numbers: ArrayLike<number>,
  format: BlockFormat,
  tensorScale: TensorScale = noTensorScale,
  { rounding = "nearest-even", randomBits }: ElementRounding = {},
): QuantizedBlock {
  const scale = format.rule.blockScale(largestMagnitude(numbers), format, tensorScale);
  return { codes: codesUnder(scale, numbers, format, tensorScale, { rounding, randomBits }), scale };
}

/** The codes of numbers under a given scale, their own or another; see {@link quantizeBlock}. */
export function codesUnder(
  scale: number,
  numbers: ArrayLike<number>,
  { element, rule }: BlockFormat,
  tensorScale: TensorScale = noTensorScale,
  { rounding = "nearest-even", randomBits }: ElementRounding = {},
): number[] {
  if (Number.isNaN(scale)) return Array.from(numbers, () => 0);
  const { by, overflow } = checkedOptions({
    rounding,
    overflow: "saturate",
    ...(randomBits && { randomBits: 0 }),
  });
  const draw = (i: number) => (randomBits ? checkedOptions({ randomBits: randomBits(i) }).bits : 0);
  const codes = new Array<number>(numbers.length);
  for (let i = 0; i < codes.length; i++) {
    const scaled = rule.scaled(numbers[i], scale, tensorScale);
    const isNone = Number.isNaN(scaled) && !element.hasNaN;
    codes[i] = isNone ? 0 : codeOf(roundSum(scaled, 0, element, by, overflow, draw(i)), element);
  }
  return codes;
}

/**
 * The fp32 numbers of a block: element x (scale x tensor scale), each product rounded to fp32.
 *
 * @param tensorScale as stored; the default stands for none.
 */
export function dequantizeBlock(
  { codes, scale }: QuantizedBlock,
  { element }: BlockFormat,
  tensorScale = 1,
): number[] {
  const step = Math.fround(scale * tensorScale);
  const numbers = numbersOf(element);
  // `decode` refuses codes outside the format.
  return codes.map((code) => Math.fround((numbers[code] ?? decode(code, element)) * step));
}

const tables = new WeakMap<Format, Float32Array>();

/** The numbers of all codes of an element format. */
function numbersOf(element: Format): Float32Array {
  const table = tables.get(element) ?? decodeTable(element);
  tables.set(element, table);
  return table;
}

/** NaN if any number is NaN, 0 if there are none. */
export function largestMagnitude(numbers: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < numbers.length; i++) {
    const magnitude = Math.abs(numbers[i]);
    if (!(magnitude <= largest)) largest = magnitude;
    if (Number.isNaN(largest)) return NaN;
  }
  return largest;
}
