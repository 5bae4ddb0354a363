import type { BlockFormat } from "../format/block/block-format.js";
import { type BlockInput, blockInputs } from "./block-inputs.js";
import { hex, withCode } from "./describe.js";
import { Draw } from "./draw.js";
import { float32Bits, float32FromBits } from "./float64-bits.js";
import {
  type Difference,
  firstDifference,
  type QuantizedCodes,
  quantized,
  quantizerMistakes,
  sameQuantized,
} from "./quantizer-mistakes.js";
import { column, type Subject } from "./subject.js";

/** Quantizing a matrix of one block, or of four side by side where they share a scale of the tensor. */
export function quantizerSubject(format: BlockFormat): Subject<BlockInput, QuantizedCodes> {
  const { rows, columns, rule, element, scale } = format;
  const blocks = rule.tensorScale === null ? 1 : 4;
  const shape = [rows, columns * blocks] as const;
  const size = rows * columns * blocks;
  const hasTensorScale = rule.tensorScale !== null;
  const scaleWord = (x: number) => (scale.bits > 8 ? float32Bits(x) : x);
  const scaleOf = (word: number) => (scale.bits > 8 ? float32FromBits(word) : word);
  return {
    name: format.name,
    inputs: [column("x", 32, size)],
    results: [
      ...(hasTensorScale ? [column("tensor_scale", 32)] : []),
      column("scale", scale.bits, blocks),
      column("code", element.bits, size),
    ],
    exhaustive: false,
    questions: (level, seed) => blockInputs(format, level, new Draw(seed, format.name)),
    answer: (input) => quantized(input, format),
    write({ data }, words, at) {
      for (let i = 0; i < size; i++) words[at + i] = float32Bits(data[i]);
    },
    read: (words, at) => ({
      data: new Float32Array(words.slice(at, at + size).buffer),
      shape,
    }),
    writeAnswer({ codes, scales, tensorScale }, words, at) {
      let next = at;
      if (hasTensorScale) words[next++] = float32Bits(tensorScale!);
      for (let i = 0; i < blocks; i++) words[next++] = scaleWord(scales[i]);
      for (let i = 0; i < size; i++) words[next++] = codes[i];
    },
    readAnswer(words, at) {
      const first = at + (hasTensorScale ? 1 : 0);
      return {
        tensorScale: hasTensorScale ? float32FromBits(words[at]) : null,
        scales: Array.from(words.subarray(first, first + blocks), scaleOf),
        codes: words.slice(first + blocks, first + blocks + size),
      };
    },
    same: sameQuantized(format),
    kindOf: ({ expected, found }) => firstDifference(expected, found, format)?.where ?? "element",
    mistakes: () => quantizerMistakes(format),
    describe: ({ question, expected, found }) =>
      describeDifference(firstDifference(expected, found, format)!, question, format),
  };
}

function describeDifference(
  { where, index, expected, found }: Difference,
  { data, shape }: BlockInput,
  { element, scale }: BlockFormat,
): string {
  const amax = data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  if (where === "element") {
    return (
      `the element of ${withCode(data[index], null)}, largest magnitude ${amax}: found ` +
      `${hex(found, element.bits)}, expected ${hex(expected, element.bits)}`
    );
  }
  const shown = (x: number) => (where === "scale" && scale.bits <= 8 ? hex(x, scale.bits) : String(x));
  return (
    `the ${where}${where === "scale" ? ` of block ${index}` : ""} of a ${shape.join(" x ")} matrix, largest magnitude ` +
    `${amax}: found ${shown(found)}, expected ${shown(expected)}`
  );
}
