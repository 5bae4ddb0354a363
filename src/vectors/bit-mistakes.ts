import { decode } from "../format/encode.js";
import { roundSum } from "../format/round.js";
import type { Mistake } from "./mistake.js";
import { roundingMistakes } from "./rounding-mistakes.js";
import type { RoundingQuestion, RoundingTo } from "./rounding-to.js";

/** An input with its bits: an fp32 number and its bit pattern. */
export interface BitsQuestion extends RoundingQuestion {
  readonly bits: number;
}

const isNaNBits = (bits: number) => (bits & 0x7fffffff) > 0x7f800000;

/**
 * Mistakes of an encoder of fp32 bits: those of numbers, and NaNs whose bits are shifted and rounded like a
 * number's.
 */
export function bitMistakes(to: RoundingTo): Mistake<BitsQuestion, number>[] {
  const { format } = to;
  const numbers = roundingMistakes(to).map(({ name, says, answer }) => ({ name, says, answer }));
  const drop = 24 - format.precision;
  const isUpperBits = format.exponentBits === 8 && format.bias === 127 && format.hasInfinity;
  if (!isUpperBits || drop === 0) return numbers;
  const cut = (bits: number) => decode(bits >>> drop, format);
  const carried = (bits: number) => {
    const sum = bits + 2 ** (drop - 1) - 1 + ((bits >>> drop) & 1);
    return decode(Math.floor((sum % 2 ** 32) / 2 ** drop), format);
  };
  const ofNaN = (says: string, wrong: (bits: number) => number): Mistake<BitsQuestion, number> => ({
    name: "NaN payload",
    says,
    answer: ({ x, bits, randomBits }) =>
      isNaNBits(bits) ? wrong(bits) : roundSum(x, 0, format, to.rounding, to.overflow, randomBits),
  });
  return [
    ofNaN(`a NaN whose payload lies in the lower ${drop} bits becoming Inf (its bits are cut off)`, cut),
    ofNaN("a NaN rounded like a number: a carry makes Inf, 0 or -0 of it", carried),
    ...numbers,
  ];
}
