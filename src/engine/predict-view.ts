import type { BlockFormat } from "../format/block/block-format.js";
import { BlockLayout, pieceEnds } from "../format/block/block-layout.js";
import { codesUnder, dequantizeBlock, largestMagnitude } from "../format/block/quantize-block.js";
import { noTensorScale, type TensorScale } from "../format/block/scale-rule.js";
import { decode } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { storedAs } from "../lens/study/prediction.js";

/** The stored numbers for the masters of a chunk. */
export interface MasterView {
  /** Sets the scales from the current masters, until the next call. */
  renew(masters: Float32Array): void;
  /** The number stored for a sum at index `j`, under the current scales. */
  number(j: number, sum: number): number;
  /** The same without its scale, which other weights can move: a weight has changed if its element has. */
  element(j: number, master: number): number;
}

/** A format or a block format. */
export type PredictedFormat = Format | BlockFormat;

/** The ends of a tensor's chunks of about `length` weights; a tensor with a tensor scale is one chunk. */
export function predictionEnds(
  shape: readonly number[],
  elements: number,
  length: number,
  format: PredictedFormat,
): number[] {
  if (!("element" in format)) return pieceEnds(elements, [], length, 1);
  const whole = format.rule.tensorScale !== null;
  return pieceEnds(elements, [new BlockLayout(shape, format)], whole ? elements : length, 1);
}

export function viewOf(
  format: PredictedFormat,
  shape: readonly number[],
  start: number,
  count: number,
): MasterView {
  if ("element" in format) return new BlockView(format, shape, start, count);
  const number = (_: number, sum: number) => storedAs(sum, format);
  return { renew: () => undefined, number, element: number };
}

class BlockView implements MasterView {
  readonly #format: BlockFormat;
  readonly #blockOf: Uint32Array;
  readonly #scales: Float64Array;
  #tensorScale: TensorScale = noTensorScale;

  /** Views `count` elements from `start` on, which must not cut a block. */
  constructor(format: BlockFormat, shape: readonly number[], start: number, count: number) {
    const layout = new BlockLayout(shape, format);
    const first = layout.blockOf(start);
    this.#format = format;
    this.#blockOf = Uint32Array.from({ length: count }, (_, j) => layout.blockOf(start + j) - first);
    this.#scales = new Float64Array(1 + (this.#blockOf.at(-1) ?? 0));
  }

  renew(masters: Float32Array): void {
    const { rule } = this.#format;
    this.#tensorScale = rule.tensorScale?.(largestMagnitude(masters), this.#format) ?? noTensorScale;
    const largest = new Float64Array(this.#scales.length);
    for (const [j, block] of this.#blockOf.entries()) {
      // NaN stays NaN.
      largest[block] = Math.max(largest[block], Math.abs(masters[j]));
    }
    for (const [b, amax] of largest.entries()) {
      this.#scales[b] = rule.blockScale(amax, this.#format, this.#tensorScale);
    }
  }

  number(j: number, sum: number): number {
    const scale = this.#scales[this.#blockOf[j]];
    const codes = [this.#code(scale, sum)];
    return dequantizeBlock({ codes, scale }, this.#format, this.#tensorScale.stored)[0];
  }

  element(j: number, master: number): number {
    return decode(this.#code(this.#scales[this.#blockOf[j]], master), this.#format.element);
  }

  #code(scale: number, x: number): number {
    return codesUnder(scale, [Math.fround(x)], this.#format, this.#tensorScale)[0];
  }
}
