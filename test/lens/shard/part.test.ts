import { describe, expect, it } from "vitest";
import {
  elementsOf,
  indicesOf,
  joinedRanges,
  listed,
  missingOf,
  type PartRange,
  placesOf,
} from "../../../src/lens/shard/part.js";

/** Of a whole of three tensors of weights; what comes after them is compared by bytes. */
const part = (...ranges: PartRange[]) => ({ ranges, whole: { tensors: 3, elements: 100 } });

describe("the shards of a part", () => {
  it("are one or several", () => {
    expect(indicesOf({ index: 0 })).toEqual([0]);
    expect(indicesOf({ index: [2, 5] })).toEqual([2, 5]);
  });

  it("that are missing are told in order, as schedulers take them", () => {
    expect(missingOf([4, 0, 1], 6)).toEqual([2, 3, 5]);
    expect(missingOf(new Set([1, 0]).keys(), 2)).toEqual([]);
    expect(missingOf([], 3)).toEqual([0, 1, 2]);
    expect(listed([2, 3, 5])).toBe("2-3,5");
    expect(listed([0])).toBe("0");
    expect(listed([3, 10, 11, 12, 14])).toBe("3,10-12,14");
    expect(listed([])).toBe("");
  });
});

describe("the weights of a part", () => {
  it("are those of its ranges, without what is compared by bytes", () => {
    expect(elementsOf(part([0, 10, 40], [2, 0, 5], [3, 0, 1000]))).toBe(35);
    expect(elementsOf(part())).toBe(0);
  });

  it("are listed once for each tensor, in the order of the ranges", () => {
    expect(placesOf(part([0, 0, 4], [0, 8, 12], [2, 0, 5], [3, 0, 7]))).toEqual([0, 2]);
    expect(placesOf(part([2, 0, 0]))).toEqual([2]);
  });
});

describe("ranges of several parts", () => {
  it("are in order, and one where they touch", () => {
    const parts = [part([1, 8, 12], [2, 0, 0]), part([0, 4, 8], [1, 0, 4]), part([1, 4, 8], [1, 16, 20])];
    expect(joinedRanges(parts)).toEqual([
      [0, 4, 8],
      [1, 0, 12],
      [1, 16, 20],
      [2, 0, 0],
    ]);
    // Of tensors that follow each other too, since places count within one.
    expect(joinedRanges([part([0, 0, 8]), part([1, 8, 12])])).toEqual([
      [0, 0, 8],
      [1, 8, 12],
    ]);
  });

  it.each<[string, PartRange[], PartRange[], string]>([
    ["overlap", [[1, 0, 8]], [[1, 4, 12]], "elements 4 to 8 of tensor 1 are counted twice"],
    ["lie within others", [[1, 0, 12]], [[1, 4, 8]], "elements 4 to 8 of tensor 1 are counted twice"],
    ["are the same", [[2, 4, 8]], [[2, 4, 8]], "elements 4 to 8 of tensor 2 are counted twice"],
    ["are the same and empty", [[1, 0, 0]], [[1, 0, 0]], "elements 0 to 0 of tensor 1 are counted twice"],
    ["begin one before the end", [[0, 0, 8]], [[0, 7, 9]], "elements 7 to 8 of tensor 0 are counted twice"],
  ])("are refused where they %s", (_, one, other, message) => {
    for (const parts of [
      [part(...one), part(...other)],
      [part(...other), part(...one)],
    ]) {
      expect(() => joinedRanges(parts)).toThrow(new RangeError(message));
    }
  });
});
