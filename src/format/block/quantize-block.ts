import { decode, encode } from "../encode.js";
import type { Rounding } from "../round.js";
import type { BlockFormat } from "./block-format.js";
import type { TensorScale } from "./scale-rule.js";

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
  readonly randomBits?: (index: number) => number;
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
  tensorScale: TensorScale = { stored: 1, reciprocal: 1 },
  { rounding = "nearest-even", randomBits }: ElementRounding = {},
): QuantizedBlock {
  const { element, rule } = format;
  const scale = rule.blockScale(largestMagnitude(numbers), format, tensorScale);
  const codes = Array.from(numbers, (x, i) => {
    const scaled = rule.scaled(x, scale, tensorScale);
    if (Number.isNaN(scale) || (Number.isNaN(scaled) && !element.hasNaN)) return 0;
    const random = randomBits && { randomBits: randomBits(i) };
    return encode(scaled, element, { rounding, overflow: "saturate", ...random });
  });
  return { codes, scale };
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
  return codes.map((code) => Math.fround(decode(code, element) * step));
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
