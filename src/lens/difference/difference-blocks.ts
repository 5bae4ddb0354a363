import type { BlockFormat } from "../../format/block/block-format.js";
import { dequantizeBlock, quantizeBlock } from "../../format/block/quantize-block.js";
import type { TensorScale } from "../../format/block/scale-rule.js";
import { decode } from "../../format/encode.js";
import { pathNotTakenUnchanged, smallSubnetworksUnchanged } from "../probes.js";
import { SharedTally } from "../shared-tally.js";
import { SparseSum } from "../sum.js";
import { distanceBin, ulpDistance } from "../ulp-distance.js";
import { type DifferenceTally, displacement } from "./difference.js";

/** A piece of a tensor before and after, and its blocks: places in the piece, none of them cut. */
export interface BlockedNumbers {
  readonly before: ArrayLike<number>;
  readonly after: ArrayLike<number>;
  /** Where updates are known: 0 for each element whose updates all were zero. */
  readonly updated?: ArrayLike<number> | null;
  readonly blocks: readonly (readonly number[])[];
}

/** The scales of the tensor on both sides. */
export interface TensorScales {
  readonly before: TensorScale;
  readonly after: TensorScale;
}

/**
 * Compares both sides as quantized to a format with shared scales by a receiver. A weight is unchanged if its
 * code has the same number (+0 = -0), and distances are between codes; probes, signs and displacements use
 * the numbers, codes times scales. Adds to the tally; the tensor scale is counted separately.
 */
export function compareBlocks(
  { before, after, updated, blocks }: BlockedNumbers,
  format: BlockFormat,
  scales: TensorScales,
  tally: DifferenceTally,
): void {
  const squares = new SparseSum();
  tally.shared ??= new SharedTally();
  for (const places of blocks) {
    const side = (numbers: ArrayLike<number>, scale: TensorScale) => {
      const block = quantizeBlock(
        Float32Array.from(places, (i) => numbers[i]),
        format,
        scale,
      );
      return { block, numbers: dequantizeBlock(block, format, scale.stored) };
    };
    const [from, to] = [side(before, scales.before), side(after, scales.after)];
    tally.shared.addBlock(from.block, to.block, format);
    for (const [k, i] of places.entries()) {
      const codes = [from.block.codes[k], to.block.codes[k]] as const;
      const pair: ComparedElement = {
        codes,
        elements: [decode(codes[0], format.element), decode(codes[1], format.element)],
        numbers: [from.numbers[k], to.numbers[k]],
        differs: before[i] !== after[i],
        neverUpdated: updated?.[i] === 0,
      };
      compareElement(pair, format, tally, squares);
    }
  }
  tally.displacementSquared.add(squares.end());
}

interface ComparedElement {
  readonly codes: readonly [number, number];
  readonly elements: readonly [number, number];
  readonly numbers: readonly [number, number];
  /** In the files. */
  readonly differs: boolean;
  readonly neverUpdated: boolean;
}

function compareElement(
  { codes, elements, numbers: [a, b], differs, neverUpdated }: ComparedElement,
  { element }: BlockFormat,
  tally: DifferenceTally,
  squares: SparseSum,
): void {
  tally.elements += 1;
  if (codes[0] !== codes[1]) tally.bytesChanged += 1;
  if (!Number.isFinite(a) || !Number.isFinite(b)) {
    tally.nonfinite += 1;
    if (a !== b && !(Number.isNaN(a) && Number.isNaN(b))) tally.nonfiniteChanged += 1;
    return;
  }
  if (neverUpdated) tally.neverUpdated += 1;
  if (pathNotTakenUnchanged(a, b)) tally.pathNotTaken += 1;
  if (smallSubnetworksUnchanged(a, b)) tally.smallSubnetworks += 1;
  if ((a < 0 && b > 0) || (a > 0 && b < 0)) tally.signFlips += 1;
  if (a !== b) {
    tally.numbersChanged += 1;
    const d = displacement(a, b);
    squares.add(d * d);
  }
  if (elements[0] === elements[1]) {
    tally.unchanged += 1;
    if (differs) tally.hidden += 1;
    return;
  }
  tally.distances[distanceBin(ulpDistance(elements[0], elements[1], element))] += 1;
}
