import { describe, expect, it } from "vitest";
import { blockFormat } from "../../../src/format/block/block-format.js";
import {
  codesUnder,
  dequantizeBlock,
  largestMagnitude,
  quantizeBlock,
} from "../../../src/format/block/quantize-block.js";

// The numbers of e2m1fn by code are 0, .5, 1, 1.5, 2, 3, 4, 6, then the same with a sign.
const [mxfp4, mxfp8] = [blockFormat("mxfp4"), blockFormat("mxfp8-e4m3")];

describe("codes under a given scale", () => {
  it("are nearest-even by default, and saturate", () => {
    expect(codesUnder(1, [2.4, 2.5, 2.6, 3.5, -5.5], mxfp4)).toEqual([4, 4, 5, 6, 15]);
    expect(codesUnder(0.5, [1, 100, -100], mxfp4)).toEqual([4, 7, 15]);
    expect(codesUnder(1, [2.5, -2.5], mxfp4, undefined, { rounding: "toward-negative" })).toEqual([4, 13]);
  });

  it("of NaN are NaN's, or 0 in elements that have none", () => {
    expect(codesUnder(1, [NaN, 1], mxfp4)).toEqual([0, 2]);
    // 1 is the exponent field 7 of e4m3fn.
    expect(codesUnder(1, [NaN, 1], mxfp8)).toEqual([0x7f, 7 * 8]);
  });

  it("are 0 if the scale is NaN", () => expect(codesUnder(NaN, [1, -1, NaN], mxfp8)).toEqual([0, 0, 0]));
});

describe.each(["nvfp4", "nvfp4:transformer-engine"])("%s without a tensor scale", (name) => {
  it("has block scales that are the whole scale", () => {
    const record = blockFormat(name);
    const block = quantizeBlock([12, -3, 0.5], record);
    expect(block).toEqual({ codes: [7, 11, 0], scale: 2 });
    expect(codesUnder(2, [12, -3, 0.5], record)).toEqual(block.codes);
    expect(dequantizeBlock(block, record)).toEqual([12, -3, 0]);
    expect(dequantizeBlock(block, record, 0.25)).toEqual([3, -0.75, 0]);
  });
});

describe("largestMagnitude", () => {
  it("is of either sign, 0 of nothing, NaN beside NaN", () => {
    expect(largestMagnitude([1, -3, 2])).toBe(3);
    expect(largestMagnitude([1, -Infinity])).toBe(Infinity);
    expect(largestMagnitude([])).toBe(0);
    expect(
      [
        [NaN, 3],
        [3, NaN, 4],
      ].map(largestMagnitude),
    ).toEqual([NaN, NaN]);
  });
});
