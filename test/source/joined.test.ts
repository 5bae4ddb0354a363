import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Box, joinedValues, whyNotParts } from "../../src/source/joined.js";
import { valuesOf } from "../support/values.js";

/** A shape, and cuts of each dimension into intervals: a grid of boxes. */
const grid = fc
  .array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((intervals) => ({ intervals, shape: intervals.map((lengths) => lengths.reduce((a, b) => a + b)) }));

/** The boxes of a grid, the numbers of each being their indices in the whole, found by walking all of it. */
function boxesOf({ intervals, shape }: { intervals: number[][]; shape: number[] }): Box[] {
  let boxes: { offsets: number[]; sizes: number[] }[] = [{ offsets: [], sizes: [] }];
  for (const lengths of intervals) {
    boxes = boxes.flatMap(({ offsets, sizes }) =>
      lengths.map((size, i) => ({
        offsets: [...offsets, lengths.slice(0, i).reduce((a, b) => a + b, 0)],
        sizes: [...sizes, size],
      })),
    );
  }
  const elements = shape.reduce((a, b) => a * b, 1);
  return boxes.map(({ offsets, sizes }) => {
    const inside: number[] = [];
    for (let i = 0; i < elements; i++) {
      let rest = i;
      const at = shape.map(() => 0);
      for (let d = shape.length - 1; d >= 0; d--) {
        at[d] = rest % shape[d]!;
        rest = Math.floor(rest / shape[d]!);
      }
      if (at.every((place, d) => place >= offsets[d]! && place < offsets[d]! + sizes[d]!)) inside.push(i);
    }
    return { offsets, sizes, values: valuesOf(inside) };
  });
}

describe("tensors in parts", () => {
  it("are read as one, whatever the cuts and whatever the piece", async () => {
    await fc.assert(
      fc.asyncProperty(grid, fc.nat(), fc.nat(), async (cut, a, b) => {
        const boxes = boxesOf(cut);
        const values = joinedValues(cut.shape, boxes.toReversed());
        const [from, to] = [a % (values.length + 1), b % (values.length + 1)].sort((x, y) => x - y);
        const into = new Float64Array(to! - from!).fill(-1);
        await values.read(from!, into);
        expect([...into]).toEqual(Array.from({ length: to! - from! }, (_, i) => from! + i));
        expect(whyNotParts(cut.shape, boxes)).toBeNull();
      }),
    );
  });

  it("are refused where an element is missing, doubled or outside", () => {
    const box = (offsets: number[], sizes: number[]): Box => ({ offsets, sizes, values: valuesOf([]) });
    expect(whyNotParts([4, 2], [box([0, 0], [2, 2])])).toBe("parts with 4 of its 8 elements");
    expect(whyNotParts([4, 2], [box([0, 0], [3, 2]), box([2, 0], [2, 2])])).toBe(
      "two parts with the element [2,0]",
    );
    expect(whyNotParts([4, 2], [box([0, 0], [4, 2]), box([0, 0], [4, 2])])).toMatch(/^two parts/);
    expect(whyNotParts([4, 2], [box([3, 0], [2, 2])])).toMatch(/outside of it$/);
    expect(whyNotParts([4, 2], [box([0], [4])])).toMatch(/outside of it$/);
    expect(whyNotParts([], [box([], [])])).toBeNull();
    expect(whyNotParts([0, 2], [])).toBeNull();
  });
});
