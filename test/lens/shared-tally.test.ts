import { describe, expect, it, test } from "vitest";
import { blockFormat } from "../../src/format/block/block-format.js";
import { quantizeBlock } from "../../src/format/block/quantize-block.js";
import { noTensorScale } from "../../src/format/block/scale-rule.js";
import { changedJson, mergedShared, SharedTally, sharedJson } from "../../src/lens/shared-tally.js";

const none = {
  codes: 0,
  blocks: 0,
  blockScales: 0,
  tensors: 0,
  tensorScales: 0,
  bits: 0,
  clipped: 0,
  flushed: 0,
};
/** A number of its own in every count. */
const counts = {
  codes: 1,
  blocks: 20,
  blockScales: 300,
  tensors: 4000,
  tensorScales: 5e4,
  bits: 6e5,
  clipped: 7e6,
  flushed: 8e7,
};

const tallyOf = (given: Partial<typeof counts>) => Object.assign(new SharedTally(), given);

describe("a block against what it was", () => {
  const before = { codes: [1, 2, 3, 4], scale: 0.5 };

  it.each([
    // Elements of 4 bits under scales of 8.
    ["mxfp4", "nothing", {}, { codes: 0, blockScales: 0, bits: 0 }],
    ["mxfp4", "two codes", { codes: [1, 7, 3, 0] }, { codes: 2, blockScales: 0, bits: 2 * 4 }],
    ["mxfp4", "the sign of a zero", { codes: [9, 2, 3, 4] }, { codes: 1, blockScales: 0, bits: 4 }],
    ["mxfp4", "the scale", { scale: 1 }, { codes: 0, blockScales: 1, bits: 8 }],
    [
      "mxfp4",
      "the last code and the scale",
      { codes: [1, 2, 3, 5], scale: 1 },
      { codes: 1, blockScales: 1, bits: 4 + 8 },
    ],
    [
      "mxfp4",
      "all codes, and the scale to NaN",
      { codes: [0, 0, 0, 0], scale: Number.NaN },
      { codes: 4, blockScales: 1, bits: 4 * 4 + 8 },
    ],
    ["mxfp6-e3m2", "one code", { codes: [0, 2, 3, 4] }, { codes: 1, blockScales: 0, bits: 6 }],
    ["mxfp8-e4m3", "three codes", { codes: [0, 3, 2, 4] }, { codes: 3, blockScales: 0, bits: 3 * 8 }],
    // A scale of e4m3fn, and one of fp32.
    [
      "nvfp4",
      "one code and the scale",
      { codes: [0, 2, 3, 4], scale: 2 },
      { codes: 1, blockScales: 1, bits: 4 + 8 },
    ],
    [
      "fp8-128x128",
      "one code and the scale",
      { codes: [0, 2, 3, 4], scale: 2 },
      { codes: 1, blockScales: 1, bits: 8 + 32 },
    ],
  ] as const)("%s, %s changed", (name, _, change, expected) => {
    const tally = new SharedTally();
    tally.addBlock(before, { ...before, ...change }, blockFormat(name));
    expect(sharedJson(tally)).toEqual({ ...none, blocks: 1, ...expected });
  });

  it("a scale that stays NaN did not change", () => {
    const tally = new SharedTally();
    const lost = { codes: [0, 0], scale: Number.NaN };
    tally.addBlock(lost, { ...lost }, blockFormat("mxfp4"));
    expect(sharedJson(tally)).toEqual({ ...none, blocks: 1 });
  });

  it("counts of blocks add up", () => {
    const tally = new SharedTally();
    for (let i = 0; i < 3; i++) {
      tally.addBlock(before, { codes: [1, 2, 0, 0], scale: 2 }, blockFormat("mxfp4"));
    }
    expect(sharedJson(tally)).toEqual({ ...none, codes: 6, blocks: 3, blockScales: 3, bits: 3 * (8 + 8) });
  });
});

describe("how numbers fit their scale", () => {
  const mxfp4 = blockFormat("mxfp4");
  const clippedAndFlushed = (numbers: readonly number[]) => {
    const tally = new SharedTally();
    tally.addFit(numbers, quantizeBlock(numbers, mxfp4), mxfp4, noTensorScale);
    return [tally.clipped, tally.flushed];
  };

  it.each([
    // e2m1fn ends at 6, and its smallest number is 1/2. 7.9 gives the scale 1.
    ["clipped: beyond the largest element, of either sign", [7.9, -7, 6, 6.1, -6], [3, 0]],
    ["flushed: stored as zero of either sign, not being zero", [4, 0.24, -0.24, 0.25, -0.25, 0.26], [0, 4]],
    ["zeros are not flushed", [4, 0, -0], [0, 0]],
    [
      "the scale counts, not the number: under 2, 13 is clipped and 1/2 flushed",
      [15, 13, 12, 0.5, 0.6],
      [2, 1],
    ],
    ["nothing fits a block that has NaN, and nothing is counted", [Number.NaN, 1, 100, 1e-9], [0, 0]],
  ] as const)("%s", (_, numbers, expected) => {
    expect(clippedAndFlushed(numbers)).toEqual(expected);
  });

  it("counts of blocks add up, and nothing else is counted", () => {
    const tally = new SharedTally();
    const numbers = [7.9, 0.1];
    for (let i = 0; i < 2; i++) tally.addFit(numbers, quantizeBlock(numbers, mxfp4), mxfp4, noTensorScale);
    expect(sharedJson(tally)).toEqual({ ...none, clipped: 2, flushed: 2 });
  });

  it("a tensor's scale is part of it", () => {
    // 3 is 3 under a scale of 1, and 12 under a quarter of it.
    const nvfp4 = blockFormat("nvfp4");
    const tally = new SharedTally();
    tally.addFit([3], { codes: [7], scale: 1 }, nvfp4, { stored: 1, reciprocal: 1 });
    expect(tally.clipped).toBe(0);
    tally.addFit([3], { codes: [7], scale: 1 }, nvfp4, { stored: 0.25, reciprocal: 4 });
    expect(tally.clipped).toBe(1);
  });
});

test("a tensor's scale against what it was: 32 bits where it changed", () => {
  const tally = new SharedTally();
  const one = { stored: 1, reciprocal: 1 };
  tally.addTensor(one, { ...one });
  expect(sharedJson(tally)).toEqual({ ...none, tensors: 1 });
  tally.addTensor(one, { stored: 2, reciprocal: 0.5 });
  tally.addTensor(one, { stored: Number.NaN, reciprocal: Number.NaN });
  tally.addTensor({ stored: Number.NaN, reciprocal: 1 }, { stored: Number.NaN, reciprocal: 1 });
  expect(sharedJson(tally)).toEqual({ ...none, tensors: 4, tensorScales: 2, bits: 2 * 32 });
});

describe("results", () => {
  it("have every count of steps, and of the end those of what changed", () => {
    const { clipped, flushed, ...changed } = counts;
    expect(sharedJson(tallyOf(counts))).toEqual({ ...changed, clipped, flushed });
    expect(changedJson(tallyOf(counts))).toEqual(changed);
    expect(Object.keys(sharedJson(tallyOf(counts)))).toEqual(Object.keys(counts));
  });

  it("are added count by count; what the other does not have adds nothing", () => {
    const tally = tallyOf(counts);
    tally.merge(counts);
    const { clipped, flushed, ...changed } = counts;
    tally.merge(changed);
    const triple = Object.fromEntries(Object.entries(changed).map(([name, count]) => [name, 3 * count]));
    expect(sharedJson(tally)).toEqual({ ...triple, clipped: 2 * clipped, flushed: 2 * flushed });
  });

  it("stay null where neither is counted", () => {
    expect(mergedShared(null, null)).toBeNull();
    const tally = tallyOf(counts);
    expect(mergedShared(tally, null)).toBe(tally);
    expect(sharedJson(mergedShared(null, counts)!)).toEqual(counts);
    expect(sharedJson(mergedShared(tally, counts)!).codes).toBe(2 * counts.codes);
  });
});
