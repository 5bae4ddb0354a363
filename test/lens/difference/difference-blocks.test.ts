import { describe, expect, it } from "vitest";
import { blockFormat } from "../../../src/format/block/block-format.js";
import { DifferenceTally } from "../../../src/lens/difference/difference.js";
import { compareBlocks, type TensorScales } from "../../../src/lens/difference/difference-blocks.js";

const one = { stored: 1, reciprocal: 1 };

function compared(
  before: readonly number[],
  after: readonly number[],
  {
    blocks = [[0, 1, 2, 3]],
    format = "mxfp4",
    scales = { before: one, after: one },
    updated = null,
    into = new DifferenceTally(),
  }: {
    blocks?: readonly (readonly number[])[];
    format?: string;
    scales?: TensorScales;
    updated?: readonly number[] | null;
    into?: DifferenceTally;
  } = {},
) {
  compareBlocks({ before, after, updated, blocks }, blockFormat(format), scales, into);
  return into.toJSON();
}

/** What a tally has that is not zero. */
const found = (...asked: Parameters<typeof compared>) =>
  Object.fromEntries(Object.entries(compared(...asked)).filter(([, value]) => value !== 0));

// Elements of mxfp4 are 0, .5, 1, 1.5, 2, 3, 4 and 6; the scale of a block is that of its largest number, a power of two.
describe("blocks of mxfp4, by hand", () => {
  it("under one scale: a code is a number", () => {
    // 1.1 is 1 here; from 1.5 to -1.5 are six steps over six numbers.
    expect(found([4, 1, 1.5, 0.5], [4, 1.1, -1.5, 0.5])).toEqual({
      ...{ elements: 4, unchanged: 3, bytesChanged: 1, hidden: 1, signFlips: 1 },
      ...{ pathNotTaken: 3, smallSubnetworks: 3 },
      distances: [0, 0, 0, 0, 0, 1],
      displacementSquared: [9],
      shared: { codes: 1, blocks: 1, blockScales: 0, tensors: 0, tensorScales: 0, bits: 4, numbers: 1 },
    });
    // The sign from below zero, too.
    expect(compared([4, 1, -1.5, 0.5], [4, 1, 1.5, 0.5]).signFlips).toBe(1);
    expect(compared([4, 1, -1.5, 0], [4, 1, -2, 2]).signFlips).toBe(0);
  });

  it("under a scale that doubles: codes change that are the same number, and a code stays that is another", () => {
    // 4 and 8 have one code. 1 and 2 are stored by other codes than before; .25 is zero under both.
    expect(found([4, 1, 2, 0.25], [8, 1, 2, 0.25])).toEqual({
      ...{ elements: 4, unchanged: 2, bytesChanged: 2, hidden: 1, pathNotTaken: 3, smallSubnetworks: 3 },
      distances: [1, 1],
      displacementSquared: [16],
      // Two codes of 4 bits and a scale of 8.
      shared: { codes: 2, blocks: 1, blockScales: 1, tensors: 0, tensorScales: 0, bits: 16, numbers: 1 },
    });
  });

  it("of both zeros are one number by two codes", () => {
    expect(found([4, 0, 0, 0], [4, -0, 0, 0])).toEqual({
      ...{ elements: 4, unchanged: 4, bytesChanged: 1, pathNotTaken: 4, smallSubnetworks: 4 },
      distances: [],
      displacementSquared: [],
      shared: { codes: 1, blocks: 1, blockScales: 0, tensors: 0, tensorScales: 0, bits: 4, numbers: 0 },
    });
  });

  it("without a finite scale are not finite, and changed where one side is", () => {
    expect(compared([4, Number.NaN, 1, 1], [4, Number.NaN, 1, 1])).toMatchObject({
      ...{ elements: 4, nonfinite: 4, nonfiniteChanged: 0, bytesChanged: 0, unchanged: 0, pathNotTaken: 0 },
    });
    const sides = [
      [4, 2, 1, 1],
      [4, Number.NaN, 1, 1],
    ];
    for (const [before, after] of [sides, sides.toReversed()]) {
      expect(compared(before, after)).toMatchObject({
        ...{ elements: 4, nonfinite: 4, nonfiniteChanged: 4, bytesChanged: 4, smallSubnetworks: 0 },
        shared: { codes: 4, blockScales: 1, numbers: 0 },
      });
    }
  });

  it("count the finite elements that no update met, where updates are known", () => {
    const sides = [
      [4, 1, 1, 1],
      [4, 1, 2, 1],
    ] as const;
    expect(compared(...sides, { updated: [0, 1, 1, 0] }).neverUpdated).toBe(2);
    expect(compared(...sides, { updated: null }).neverUpdated).toBe(0);
    const torn = [4, 1, 1, Number.NaN];
    expect(compared(torn, torn, { updated: [0, 0, 0, 0] }).neverUpdated).toBe(0);
  });

  it("may lie anywhere in a piece, each under its own scale", () => {
    const blocks = [
      [0, 2],
      [1, 3],
    ];
    // The second block has a scale of 2^-4: its numbers move by a sixteenth of what the first one's do.
    const [before, after] = [
      [4, 4 / 16, 1, 1 / 16],
      [4, 4 / 16, 2, 2 / 16],
    ];
    expect(compared(before, after, { blocks })).toMatchObject({
      ...{ elements: 4, unchanged: 2, bytesChanged: 2 },
      distances: [0, 2],
      displacementSquared: [1 + 2 ** -8],
      shared: { blocks: 2, blockScales: 0, codes: 2, numbers: 2 },
    });
  });

  it("add to what was counted before", () => {
    const into = new DifferenceTally();
    compared([4, 1, 1, 1], [4, 2, 1, 1], { into });
    expect(compared([4, 1, 1, 1], [8, 1, 1, 1], { into })).toMatchObject({
      ...{ elements: 8, displacementSquared: [1 + 16] },
      shared: { blocks: 2, blockScales: 1, numbers: 2 },
    });
  });
});

describe("blocks under scales of their tensors", () => {
  it("are compared as numbers times both scales", () => {
    const scales = { before: one, after: { stored: 2, reciprocal: 0.5 } };
    // All numbers double, all codes and block scales stay.
    expect(compared([6, 3, 1, 0], [12, 6, 2, 0], { format: "nvfp4", scales })).toMatchObject({
      ...{ unchanged: 4, hidden: 3, bytesChanged: 0, displacementSquared: [36 + 9 + 1] },
      shared: { codes: 0, blockScales: 0, numbers: 3 },
    });
  });

  it("that overflow are not finite, and the same where both do", () => {
    const large = { stored: 2 ** 126, reciprocal: 2 ** -126 };
    const scales = { before: large, after: large };
    const most = (2 - 2 ** -23) * 2 ** 127;
    // Its sixth is rounded up to .6875 x 2^126, of which six are beyond fp32.
    const same = compared([most, 0, 0, 0], [most, 0, 0, 0], { format: "nvfp4", scales });
    expect(same).toMatchObject({ nonfinite: 1, nonfiniteChanged: 0, unchanged: 3 });
    const other = compared([most, 0, 0, 0], [-most, 0, 0, 0], { format: "nvfp4", scales });
    expect(other).toMatchObject({ nonfinite: 1, nonfiniteChanged: 1, unchanged: 3 });
  });
});
