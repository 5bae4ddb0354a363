import type { BlockFormat } from "../../format/block/block-format.js";
import { blocksOf } from "../../format/block/quantize.js";
import { dequantizeBlock, quantizeBlock } from "../../format/block/quantize-block.js";
import type { TensorScale } from "../../format/block/scale-rule.js";
import type { Format } from "../../format/format.js";
import { round } from "../../format/round.js";
import { ExactSum } from "../sum.js";

/** A format that numbers may be stored in: plain, or with scales of blocks. */
export type TargetFormat = Format | BlockFormat;

function isBlocks(format: TargetFormat): format is BlockFormat {
  return "element" in format;
}

/** What a format would make of numbers. Merging is exact. */
export class QualityTally {
  /** Finite numbers. */
  elements = 0;
  /** Beyond the largest number of the format, or of the elements under their scale. */
  clipped = 0;
  /** Not zero, stored as zero. */
  flushed = 0;
  /** Stored as NaN, because another number that the scale is made of is not finite. Of the elements; in no other count, and in no sum. */
  storedNaN = 0;
  /** Sums of squares of the numbers, and of what storage would change in them: one for each piece that was added. */
  readonly signal = new ExactSum();
  readonly error = new ExactSum();

  merge(other: QualityTally): void {
    for (const field of ["elements", "clipped", "flushed", "storedNaN"] as const) this[field] += other[field];
    this.signal.addAll(other.signal);
    this.error.addAll(other.error);
  }
}

/**
 * Adds what a format would make of a matrix: rounded to nearest-even, saturating. Blocks run along its rows, or cover rows
 * and columns, from its first element on.
 *
 * @param largest the largest magnitude of the tensor in fp32, from which some formats make a scale of the tensor; NaN if a
 * number of it is NaN.
 */
export function addQuality(
  numbers: Float32Array,
  shape: readonly [rows: number, columns: number],
  format: TargetFormat,
  largest: number,
  tally: QualityTally,
): void {
  const sums = { signal: 0, error: 0 };
  const add = (x: number, stored: number, isClipped: boolean) => {
    if (!Number.isFinite(x)) return;
    tally.elements += 1;
    if (Number.isNaN(stored)) {
      tally.storedNaN += 1;
      return;
    }
    if (isClipped) tally.clipped += 1;
    if (x !== 0 && stored === 0) tally.flushed += 1;
    const error = stored - x;
    sums.signal += x * x;
    sums.error += error * error;
  };
  if (isBlocks(format)) addBlocks(numbers, shape, format, largest, add);
  else {
    for (const x of numbers) {
      const stored = round(x, format, { overflow: "saturate" });
      add(x, stored, Math.abs(x) > format.maxFinite);
    }
  }
  tally.signal.add(sums.signal);
  tally.error.add(sums.error);
}

function addBlocks(
  numbers: Float32Array,
  shape: readonly [rows: number, columns: number],
  format: BlockFormat,
  largest: number,
  add: (x: number, stored: number, isClipped: boolean) => void,
): void {
  const { rule, element } = format;
  const tensorScale: TensorScale | undefined = rule.tensorScale?.(largest, format);
  for (const indices of blocksOf(shape, format)) {
    const block = indices.map((i) => numbers[i]);
    const quantized = quantizeBlock(block, format, tensorScale);
    const stored = dequantizeBlock(quantized, format, tensorScale?.stored);
    const scale = tensorScale ?? { stored: 1, reciprocal: 1 };
    for (const [i, x] of block.entries()) {
      const scaled = rule.scaled(x, quantized.scale, scale);
      add(x, stored[i], Math.abs(scaled) > element.maxFinite);
    }
  }
}
