import { decode, encode } from "../encode.js";
import { type BlockFormat, blockFormat } from "./block-format.js";
import { dequantizeBlock, type ElementRounding, largestMagnitude, quantizeBlock } from "./quantize-block.js";
import { type ScaleRuleName, type TensorScale, tensorScaleOf } from "./scale-rule.js";

/** A tensor in a format with shared scales. */
export interface Quantized {
  readonly shape: readonly number[];
  readonly format: BlockFormat;
  /** A code of the element format for each number, one per byte. */
  readonly codes: Uint8Array;
  /** One per block, row by row: codes of the scale format, or the numbers themselves if it is fp32. */
  readonly scales: Uint8Array | Float32Array;
  /** An fp32 number; null for formats without a tensor scale. */
  readonly tensorScale: number | null;
}

export interface QuantizeOptions extends ElementRounding {
  /** Defaults to the format's rule: `floor ceil rceil even compressed-tensors`, `amax power-of-two`. */
  readonly scaleRule?: ScaleRuleName;
  /** The operation sequence for NVFP4: `torchao` (default) or `transformer-engine`. */
  readonly variant?: ScaleRuleName;
  /** Replaces the tensor scale that the rule computes; block scales are multiplied by it. */
  readonly tensorScale?: number;
}

/**
 * Quantizes a tensor to a format with shared scales.
 *
 * @param data the numbers, row by row, in fp32.
 * @param shape the lengths of its dimensions, the row length last. Blocks of 32 or 16 run along rows; those
 * of 128 x 128 or 16 x 16 cover the last two dimensions. Blocks at the edges are truncated.
 * @param format a block format or its name, such as `mxfp8-e4m3`, `nvfp4:transformer-engine`.
 * @param options rule, tensor scale, rounding of the elements.
 * @returns codes (one per byte), block scales, and the tensor scale.
 * @throws RangeError for an unknown name or rule, a shape that does not match the data, or a tensor scale
 * that is not positive or that the format does not use.
 * @example quantize(Float32Array.of(1, 2, 3, 6), [4], "mxfp4").scales; // Uint8Array.of(127)
 */
export function quantize(
  data: Float32Array,
  shape: readonly number[],
  format: BlockFormat | string,
  options: QuantizeOptions = {},
): Quantized {
  const record = withRule(typeof format === "string" ? blockFormat(format) : format, options);
  expectShape(shape, data.length);
  const tensorScale = scaleOfTensor(data, record, options);
  const blocks = [...blocksOf(shape, record)];
  const codes = new Uint8Array(data.length);
  const scales = record.scale.bits > 8 ? new Float32Array(blocks.length) : new Uint8Array(blocks.length);
  const { randomBits } = options;
  for (const [b, indices] of blocks.entries()) {
    const numbers = indices.map((i) => data[i]);
    const block = quantizeBlock(numbers, record, tensorScale ?? undefined, {
      ...options,
      ...(randomBits && { randomBits: (i: number) => randomBits(indices[i]) }),
    });
    for (const [i, code] of block.codes.entries()) codes[indices[i]] = code;
    scales[b] = scales instanceof Float32Array ? block.scale : encode(block.scale, record.scale);
  }
  return { shape, format: record, codes, scales, tensorScale: tensorScale?.stored ?? null };
}

/**
 * The fp32 numbers of a quantized tensor: element x scale.
 *
 * @param quantized a result of {@link quantize}.
 * @returns the numbers, row by row.
 * @throws RangeError if codes, scales and shape do not match, or for a code outside the format.
 * @example dequantize(quantize(Float32Array.of(1, 2, 3, 7), [4], "mxfp4")); // Float32Array.of(1, 2, 3, 6)
 */
export function dequantize(quantized: Quantized): Float32Array {
  const { shape, format, codes, scales, tensorScale } = quantized;
  expectShape(shape, codes.length);
  const blocks = [...blocksOf(shape, format)];
  if (scales.length !== blocks.length) {
    throw new RangeError(
      `expected ${blocks.length} scales, one a block of ${format.name}, found ${scales.length}`,
    );
  }
  const numbers = new Float32Array(codes.length);
  for (const [b, indices] of blocks.entries()) {
    const scale = scales instanceof Float32Array ? scales[b] : decode(scales[b], format.scale);
    const block = { codes: indices.map((i) => codes[i]), scale };
    for (const [i, x] of dequantizeBlock(block, format, tensorScale ?? 1).entries()) numbers[indices[i]] = x;
  }
  return numbers;
}

/** The element indices of each block, in the order of scales in files: by block rows. */
export function* blocksOf(shape: readonly number[], { rows, columns }: BlockFormat): Generator<number[]> {
  const width = shape.at(-1) ?? 1;
  const height = shape.at(-2) ?? 1;
  const matrices = shape.slice(0, -2).reduce((product, length) => product * length, 1);
  for (let matrix = 0; matrix < matrices; matrix++) {
    for (let top = 0; top < height; top += rows) {
      for (let left = 0; left < width; left += columns) {
        const indices: number[] = [];
        for (let row = top; row < Math.min(top + rows, height); row++) {
          const start = (matrix * height + row) * width;
          for (let column = left; column < Math.min(left + columns, width); column++)
            indices.push(start + column);
        }
        yield indices;
      }
    }
  }
}

function withRule(format: BlockFormat, { scaleRule, variant }: QuantizeOptions): BlockFormat {
  const rule = scaleRule ?? variant;
  return rule === undefined ? format : blockFormat(`${format.name.split(":")[0]}:${rule}`);
}

function scaleOfTensor(
  data: Float32Array,
  format: BlockFormat,
  { tensorScale }: QuantizeOptions,
): TensorScale | null {
  const { rule, name } = format;
  if (tensorScale === undefined) return rule.tensorScale?.(largestMagnitude(data), format) ?? null;
  if (rule.tensorScale === null) throw new RangeError(`${name} has no scale of the tensor`);
  const stored = Math.fround(tensorScale);
  if (!(stored > 0 && stored < Infinity)) {
    throw new RangeError(`tensorScale: expected a positive fp32 number, found ${tensorScale}`);
  }
  return tensorScaleOf(stored);
}

function expectShape(shape: readonly number[], elements: number): void {
  if (!shape.every((length) => Number.isInteger(length) && length >= 0)) {
    throw new RangeError(`shape: expected whole numbers of at least 0, found [${shape}]`);
  }
  const product = shape.reduce((all, length) => all * length, 1);
  if (product === elements) return;
  throw new RangeError(`a tensor of shape [${shape}] has ${product} elements, found ${elements}`);
}
