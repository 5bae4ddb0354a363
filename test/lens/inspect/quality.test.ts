import { describe, expect, it, test } from "vitest";
import { storageFormat } from "../../../src/format/block/block-format.js";
import { format } from "../../../src/format/registry.js";
import { addQuality, QualityTally } from "../../../src/lens/inspect/quality.js";

/** What is told of numbers in a format; the largest magnitude of the tensor is that of the numbers unless given. */
function qualityOf(
  name: string,
  numbers: readonly number[],
  shape: readonly [number, number] = [1, numbers.length],
  largest = Math.max(...numbers.map(Math.abs)),
) {
  const tally = new QualityTally();
  addQuality(Float32Array.from(numbers), shape, storageFormat(name), largest, tally);
  return told(tally);
}

function told({ elements, clipped, flushed, storedNaN, signal, error }: QualityTally) {
  const counts = { elements, clipped, flushed, ...(storedNaN > 0 && { storedNaN }) };
  return { ...counts, signal: signal.value(), error: error.value() };
}

describe("a plain format", () => {
  it("by hand: e4m3fn ends at 448 and begins at 2^-9", () => {
    // 500 becomes 448, 17 the even 16 of 16 and 18, a quarter of 2^-9 zero; the others are numbers of the format.
    const quarter = 2 ** -11;
    expect(qualityOf("e4m3fn", [500, -500, 448, -448, 17, quarter, 1, 0, -0])).toEqual({
      elements: 9,
      clipped: 2,
      flushed: 1,
      signal: 2 * 500 ** 2 + 2 * 448 ** 2 + 17 ** 2 + quarter ** 2 + 1,
      error: 2 * 52 ** 2 + 1 + quarter ** 2,
    });
  });

  it("numbers that are not finite do not count", () => {
    const none = { elements: 0, clipped: 0, flushed: 0, signal: 0, error: 0 };
    expect(qualityOf("e4m3fn", [Number.NaN, Infinity, -Infinity])).toEqual(none);
    expect(qualityOf("e4m3fn", [Number.NaN, 17])).toEqual({ ...none, elements: 1, signal: 289, error: 1 });
  });
});

describe("a format of blocks", () => {
  it("by hand: mxfp4 under a scale of 1", () => {
    // 7 is clipped to 6, 1/8 flushed, 3.5 the even 4 of 3 and 4, 1 a number of e2m1fn.
    expect(qualityOf("mxfp4", [7, 1, 1 / 8, -3.5, 0, 6])).toEqual({
      elements: 6,
      clipped: 1,
      flushed: 1,
      signal: 49 + 1 + 1 / 64 + 12.25 + 36,
      error: 1 + 1 / 64 + 1 / 4,
    });
  });

  it("blocks of a row end with it; those of rows and columns cover both", () => {
    // Under a scale of 1 for 7, a 1/8 is flushed. In a row of its own it has a scale of 1/32.
    const numbers = [7, 1, 1 / 8, 1 / 8];
    expect(qualityOf("mxfp4", numbers, [1, 4]).flushed).toBe(2);
    expect(qualityOf("mxfp4", numbers, [2, 2])).toMatchObject({ flushed: 0, error: 1 });
    // Under a scale of 1 for 448, 448 x 2^-19 is below 2^-10, half of the smallest element.
    const wide = [448, 1, 448 * 2 ** -19, 1];
    expect(qualityOf("fp8-128x128", wide, [1, 4]).flushed).toBe(1);
    expect(qualityOf("fp8-128x128", wide, [2, 2]).flushed).toBe(1);
    expect(qualityOf("mxfp8-e4m3", wide, [2, 2]).flushed).toBe(0);
  });

  it("nvfp4 has a scale of the tensor, from its largest magnitude", () => {
    // 5376 / (6 x 448) = 2 for the tensor. For the block 204 / 6 / 2 = 17, to the even 16 of 16 and 18: numbers are
    // divided by 32. 204 is 6.375, which is clipped to 6; 100 is 3.125, to 3; 6 is 0.1875, to 0.
    expect(qualityOf("nvfp4", [204, 100, 6], [1, 3], 5376)).toEqual({
      elements: 3,
      clipped: 1,
      flushed: 1,
      signal: 204 ** 2 + 100 ** 2 + 36,
      error: 12 ** 2 + 4 ** 2 + 36,
    });
    // 192 / 32 = 6 is the largest element itself.
    expect(qualityOf("nvfp4", [192, 96], [1, 2], 5376)).toMatchObject({ clipped: 0, error: 0 });
  });

  it("a number that is not finite takes its block along: the others are stored as none", () => {
    expect(qualityOf("mxfp4", [Number.NaN, 3, 1])).toEqual({
      elements: 2,
      clipped: 0,
      flushed: 0,
      storedNaN: 2,
      // Neither is in the ratio.
      signal: 0,
      error: 0,
    });
    // The other block knows nothing of it.
    expect(qualityOf("mxfp4", [Number.NaN, 1, 7, 1], [2, 2])).toMatchObject({
      elements: 3,
      clipped: 1,
      storedNaN: 1,
      signal: 50,
      error: 1,
    });
  });
});

test("tallies of parts add up", () => {
  const tally = new QualityTally();
  const part = new QualityTally();
  addQuality(Float32Array.of(500, 17), [1, 2], format("e4m3fn"), 500, tally);
  addQuality(Float32Array.of(-600, 2 ** -11, 1), [1, 3], format("e4m3fn"), 600, part);
  tally.merge(part);
  expect(told(tally)).toEqual(qualityOf("e4m3fn", [500, 17, -600, 2 ** -11, 1]));
  expect(told(tally)).toMatchObject({ elements: 5, clipped: 2, flushed: 1 });
});
