import type { BlockFormat } from "../../format/block/block-format.js";
import { BlockLayout, pieceEnds } from "../../format/block/block-layout.js";
import { largestMagnitude } from "../../format/block/quantize-block.js";
import { noTensorScale } from "../../format/block/scale-rule.js";
import type { DifferenceTally } from "../../lens/difference/difference.js";
import { compareBlocks, type TensorScales } from "../../lens/difference/difference-blocks.js";
import { SharedTally } from "../../lens/shared-tally.js";
import { blockLength } from "../../lens/sum.js";
import type { TensorPair } from "./pair-up.js";

/** Elements read at once. */
const pieceLength = 2 ** 18;

/**
 * Compares both sides of a tensor as quantized by a receiver, in pieces that cut no block. For a tensor
 * scale, both sides are read once more.
 *
 * @param progress called with the number of elements compared since the last call.
 */
export async function compareInBlocks(
  pair: Pick<TensorPair, "shape" | "elements" | "read">,
  format: BlockFormat,
  tally: DifferenceTally,
  progress: (elements: number) => void,
): Promise<void> {
  const layout = new BlockLayout(pair.shape, format);
  const ends = pieceEnds(pair.elements, [layout], pieceLength, blockLength);
  const scales = await tensorScales(pair, format, ends);
  tally.shared ??= new SharedTally();
  for (const [k, end] of ends.entries()) {
    const start = ends[k - 1] ?? 0;
    const numbers = await pair.read(start, end - start);
    const blocks: number[][] = [];
    const first = layout.blockOf(start);
    for (let i = 0; i < end - start; i++) {
      const block = layout.blockOf(start + i) - first;
      blocks[block] ??= [];
      blocks[block].push(i);
    }
    compareBlocks({ ...numbers, blocks }, format, scales, tally);
    progress(end - start);
  }
  if (format.rule.tensorScale !== null && pair.elements > 0)
    tally.shared.addTensor(scales.before, scales.after);
}

async function tensorScales(
  { read }: Pick<TensorPair, "read">,
  format: BlockFormat,
  ends: readonly number[],
): Promise<TensorScales> {
  const { tensorScale } = format.rule;
  if (tensorScale === null) return { before: noTensorScale, after: noTensorScale };
  const largest = { before: 0, after: 0 };
  for (const [k, end] of ends.entries()) {
    const start = ends[k - 1] ?? 0;
    const numbers = await read(start, end - start);
    for (const side of ["before", "after"] as const) {
      largest[side] = largestMagnitude([largest[side], largestMagnitude(Float32Array.from(numbers[side]))]);
    }
  }
  return { before: tensorScale(largest.before, format), after: tensorScale(largest.after, format) };
}
