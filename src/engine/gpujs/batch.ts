import type { TensorInput, Values } from "../../lens/input.js";
import { blockLength } from "../../lens/sum.js";

/** A run of elements of one tensor, and its position in the batch. */
export interface Piece {
  /** Index among the tensors of the job. */
  readonly tensor: number;
  readonly input: TensorInput;
  /** Index of the first element in its tensor: a multiple of blockLength. */
  readonly start: number;
  readonly length: number;
  /** Index of the first element in the batch: a multiple of blockLength. */
  readonly at: number;
}

/**
 * The unit of work of a device: pieces of several tensors, each padded to whole blocks. A device takes as
 * long for a norm of a few thousand weights as for a million, and a model has hundreds of norms.
 */
export class Batch {
  readonly pieces: readonly Piece[];
  /** Elements, including padding. */
  readonly length: number;
  readonly blocks: number;
  readonly #pieceOfBlock: readonly Piece[];

  constructor(pieces: readonly Piece[]) {
    this.pieces = pieces;
    this.#pieceOfBlock = pieces.flatMap((piece) =>
      Array.from({ length: Math.ceil(piece.length / blockLength) }, () => piece),
    );
    this.blocks = this.#pieceOfBlock.length;
    this.length = this.blocks * blockLength;
  }

  pieceOf(block: number): Piece {
    return this.#pieceOfBlock[block];
  }

  /** Where the elements of a block end in the batch; the last block of a tensor may have fewer. */
  endOf(block: number): number {
    const { at, length } = this.pieceOf(block);
    return Math.min((block + 1) * blockLength, at + length);
  }

  /** Where the elements of a block begin and end in the batch. */
  rangeOf(block: number): readonly [from: number, to: number] {
    return [block * blockLength, this.endOf(block)];
  }

  /** Index of the first element of a block in its tensor. */
  startOf(block: number): number {
    const { at, start } = this.pieceOf(block);
    return start + block * blockLength - at;
  }

  /** Reads the numbers of all pieces to their places. */
  async read(values: (input: TensorInput) => Values, into: Float32Array | Float64Array): Promise<void> {
    await Promise.all(
      this.pieces.map(({ input, start, length, at }) =>
        values(input).read(start, into.subarray(at, at + length)),
      ),
    );
  }
}

/** The batches of all tensors in turn, each of at most `capacity` elements, whole blocks. */
export function* batchesOf(tensors: readonly TensorInput[], capacity: number): Generator<Batch> {
  let pieces: Piece[] = [];
  let at = 0;
  for (const [tensor, input] of tensors.entries()) {
    for (let start = input.start ?? 0; start < input.weights.length; ) {
      const length = Math.min(capacity - at, input.weights.length - start);
      pieces.push({ tensor, input, start, length, at });
      start += length;
      at += Math.ceil(length / blockLength) * blockLength;
      if (at < capacity) continue;
      yield new Batch(pieces);
      pieces = [];
      at = 0;
    }
  }
  if (pieces.length > 0) yield new Batch(pieces);
}
