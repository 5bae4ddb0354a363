import { countOf, type TensorInput } from "../../lens/input.js";
import { blockLength } from "../../lens/sum.js";
import { blocksOfGroup, elementsOfGroup } from "./layout.js";

/** A run of elements of one tensor, and its position in its batch. */
export interface Piece {
  /** Index among the tensors of the job. */
  readonly tensor: number;
  readonly input: TensorInput;
  /** Index of the first element in its tensor: a multiple of blockLength. */
  readonly start: number;
  readonly length: number;
  /** The index of its first workgroup in the batch; workgroups are not shared by pieces. */
  readonly firstGroup: number;
}

/** The unit of work of a device: pieces of several tensors. */
export interface Batch {
  readonly pieces: readonly Piece[];
  readonly groups: number;
}

/** The maximum size of a batch; a piece has at least one group. */
export interface BatchLimits {
  readonly elements: number;
  readonly groups: number;
  readonly pieces: number;
}

/** Index of the first element of a piece in its batch. */
export function firstElement({ firstGroup }: Piece): number {
  return firstGroup * elementsOfGroup;
}

/** Index of the first block of a piece in its batch. */
export function firstBlock({ firstGroup }: Piece): number {
  return firstGroup * blocksOfGroup;
}

/**
 * The batches of some tensors of a job.
 *
 * @param isWhole whether a tensor is better not cut: it is, if no batch has room for it.
 */
export function* batchesOf(
  tensors: readonly TensorInput[],
  indices: readonly number[],
  limits: BatchLimits,
  isWhole: (input: TensorInput) => boolean = () => false,
): Generator<Batch> {
  const most = Math.max(blockLength, Math.floor(limits.elements / blockLength) * blockLength);
  let pieces: Piece[] = [];
  let [groups, room] = [0, most];
  for (const tensor of indices) {
    const input = tensors[tensor];
    const all = countOf(input);
    const isCut = all > room || all > (limits.groups - groups) * elementsOfGroup;
    if (isCut && isWhole(input) && all <= Math.min(most, limits.groups * elementsOfGroup)) {
      yield { pieces, groups };
      pieces = [];
      [groups, room] = [0, most];
    }
    for (let start = input.start ?? 0; start < input.weights.length; ) {
      const length = Math.min(room, (limits.groups - groups) * elementsOfGroup, input.weights.length - start);
      pieces.push({ tensor, input, start, length, firstGroup: groups });
      start += length;
      groups += Math.ceil(length / elementsOfGroup);
      room -= Math.ceil(length / blockLength) * blockLength;
      if (room > 0 && groups < limits.groups && pieces.length < limits.pieces) continue;
      yield { pieces, groups };
      pieces = [];
      [groups, room] = [0, most];
    }
  }
  if (pieces.length > 0) yield { pieces, groups };
}
