import { describe, expect, it } from "vitest";
import { BlockLayout, pieceEnds } from "../../../src/format/block/block-layout.js";

const alongRows = (columns: number) => ({ rows: 1, columns });
const square = (side: number) => ({ rows: side, columns: side });
const range = (length: number) => Array.from({ length }, (_, i) => i);

describe("blocks are numbered row by row", () => {
  const blocksOf = (shape: readonly number[], block: { rows: number; columns: number }) => {
    const layout = new BlockLayout(shape, block);
    const numbers = range(shape.reduce((product, length) => product * length, 1)).map((i) =>
      layout.blockOf(i),
    );
    return { blocks: layout.blocks, numbers };
  };

  it("of 2 x 2 in a matrix of 3 x 5, truncated at both edges", () => {
    expect(blocksOf([3, 5], square(2))).toEqual({
      blocks: 6,
      numbers: [
        [0, 0, 1, 1, 2],
        [0, 0, 1, 1, 2],
        [3, 3, 4, 4, 5],
      ].flat(),
    });
  });

  it("of 2 in the rows of the same matrix", () => {
    expect(blocksOf([3, 5], alongRows(2))).toEqual({
      blocks: 9,
      numbers: [
        [0, 0, 1, 1, 2],
        [3, 3, 4, 4, 5],
        [6, 6, 7, 7, 8],
      ].flat(),
    });
  });

  it("in a stack of matrices, one matrix after the other", () => {
    const [matrix, matrices] = [blocksOf([3, 5], square(2)), blocksOf([2, 3, 3, 5], square(2))];
    expect(matrices.blocks).toBe(36);
    expect(matrices.numbers).toEqual(range(6).flatMap((m) => matrix.numbers.map((block) => 6 * m + block)));
  });

  it("of vectors, single numbers and empty tensors", () => {
    expect(blocksOf([5], alongRows(2))).toEqual({ blocks: 3, numbers: [0, 0, 1, 1, 2] });
    expect(blocksOf([5], square(2))).toEqual({ blocks: 3, numbers: [0, 0, 1, 1, 2] });
    expect(blocksOf([], square(2))).toEqual({ blocks: 1, numbers: [0] });
    expect(blocksOf([4, 0], alongRows(2))).toEqual({ blocks: 0, numbers: [] });
  });
});

describe("a tensor can be cut", () => {
  const cutsOf = (shape: readonly number[], block: { rows: number; columns: number }) => {
    const layout = new BlockLayout(shape, block);
    return range(shape.reduce((product, length) => product * length, 1) + 1).filter((i) => layout.isCut(i));
  };

  it("along rows, where a block begins", () => {
    expect(cutsOf([2, 5], alongRows(2))).toEqual([0, 2, 4, 5, 7, 9, 10]);
    expect(cutsOf([2, 5], alongRows(8))).toEqual([0, 5, 10]);
  });

  it("in matrices, where a row of blocks begins: every matrix begins with one", () => {
    expect(cutsOf([2, 3, 5], square(2))).toEqual([0, 10, 15, 25, 30]);
    expect(cutsOf([4, 2], square(2))).toEqual([0, 4, 8]);
  });

  it("only where no block has elements on both sides", () => {
    for (const shape of [[7, 5], [2, 5, 3], [11], [3, 2, 2, 4]]) {
      const elements = shape.reduce((product, length) => product * length, 1);
      for (const block of [alongRows(2), alongRows(3), square(2), square(3), { rows: 3, columns: 2 }]) {
        const layout = new BlockLayout(shape, block);
        for (const cut of cutsOf(shape, block)) {
          const before = new Set(range(cut).map((i) => layout.blockOf(i)));
          const after = range(elements - cut).map((i) => layout.blockOf(cut + i));
          expect(after.filter((number) => before.has(number))).toEqual([]);
        }
      }
    }
  });
});

describe("pieces", () => {
  it("end after as many steps as it takes, the last with the tensor", () => {
    expect(pieceEnds(10, [], 3, 1)).toEqual([3, 6, 9, 10]);
    expect(pieceEnds(10, [], 3, 2)).toEqual([4, 8, 10]);
    expect(pieceEnds(10, [], 0, 4)).toEqual([4, 8, 10]);
    expect(pieceEnds(8, [], 8, 4)).toEqual([8]);
    expect(pieceEnds(0, [], 3, 1)).toEqual([]);
  });

  it("go on to where no block is cut", () => {
    const matrices = new BlockLayout([2, 3, 5], square(2));
    expect(pieceEnds(30, [matrices], 1, 1)).toEqual([10, 15, 25, 30]);
    expect(pieceEnds(30, [matrices], 1, 5)).toEqual([10, 15, 25, 30]);
    expect(pieceEnds(30, [matrices], 11, 5)).toEqual([15, 30]);
    expect(pieceEnds(30, [matrices], 4, 4)).toEqual([30]);
  });

  it("cut the blocks of no layout, where there are several", () => {
    const [fours, sixes] = [4, 6].map((columns) => new BlockLayout([30], alongRows(columns)));
    expect(pieceEnds(30, [fours], 1, 2)).toEqual([4, 8, 12, 16, 20, 24, 28, 30]);
    expect(pieceEnds(30, [fours, sixes], 1, 2)).toEqual([12, 24, 30]);
  });
});
