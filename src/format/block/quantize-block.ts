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
   * For `stochastic`: 32 random bits for the number at an index. Hardware that draws k bits an element is given by the
   * k leading bits, all others zero.
   */
  readonly randomBits?: ((index: number) => number) | undefined;
}

/**
 * One block in a format of shared scales: the specification of {@link quantize}. Elements beyond the largest one are
 * saturated. In a block whose scale is NaN all codes are 0, and so is that of a NaN where the elements have none.
 *
 * @param numbers fp32 numbers, in any order.
 * @param tensorScale what the rule made of the tensor; default for where it has none.
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

/** The codes of numbers whose block has this scale, be it theirs or another; see {@link quantizeBlock}. */
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
 * The fp32 numbers that a block stands for: element x (scale x scale of the tensor), each product rounded to fp32.
 *
 * @param tensorScale as it is stored; default for where there is none.
 */
export function dequantizeBlock(
  { codes, scale }: QuantizedBlock,
  { element }: BlockFormat,
  tensorScale = 1,
): number[] {
  const step = Math.fround(scale * tensorScale);
  const numbers = numbersOf(element);
  // A code that is none of the format's is refused by `decode`.
  return codes.map((code) => Math.fround((numbers[code] ?? decode(code, element)) * step));
}

const tables = new WeakMap<Format, Float32Array>();

/** The numbers of all codes of a format of elements. */
function numbersOf(element: Format): Float32Array {
  const table = tables.get(element) ?? decodeTable(element);
  tables.set(element, table);
  return table;
}

/** NaN if there is one among the numbers, 0 of none. */
export function largestMagnitude(numbers: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < numbers.length; i++) {
    const magnitude = Math.abs(numbers[i]);
    if (!(magnitude <= largest)) largest = magnitude;
    if (Number.isNaN(largest)) return NaN;
  }
  return largest;
}
