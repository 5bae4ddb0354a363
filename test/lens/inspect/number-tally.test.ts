import { describe, expect, it, test } from "vitest";
import { NumberTally } from "../../../src/lens/inspect/number-tally.js";

function tallyOf(numbers: readonly number[], minNormal = 0): NumberTally {
  const tally = new NumberTally();
  tally.add(Float64Array.from(numbers), minNormal);
  return tally;
}

const told = ({ squares, ...counts }: NumberTally) => ({ ...counts, squares: squares.value() });

const nothing = {
  elements: 0,
  zeros: 0,
  subnormals: 0,
  nonfinite: 0,
  smallest: Infinity,
  largest: 0,
  squares: 0,
};

describe("what numbers are like", () => {
  it("by hand: every number is a zero, finite or not; finite ones may be subnormal", () => {
    const numbers = [0, -0, 3, -4, 0.5, 0.25, -0.25, Number.NaN, Infinity, -Infinity];
    expect(told(tallyOf(numbers, 0.5))).toEqual({
      elements: 10,
      zeros: 2,
      subnormals: 2, // 0.5 is the smallest normal number
      nonfinite: 3,
      smallest: 0.25,
      largest: 4,
      squares: 9 + 16 + 0.25 + 2 * 0.0625,
    });
    expect(tallyOf(numbers, 0).subnormals).toBe(0);
  });

  it.each([
    ["the first", [-1, 2, 3], 1, 3],
    ["the last", [5, 4, -3], 3, 5],
    ["one number", [-7], 7, 7],
    ["between zeros", [0, 2, 0], 2, 2],
  ])("smallest and largest magnitude: %s", (_, numbers, smallest, largest) => {
    expect(tallyOf(numbers)).toMatchObject({ smallest, largest });
  });

  it.each([
    ["finite numbers", [1, -3, 2], 3],
    ["no number", [], 0],
    ["Inf", [1, -Infinity, 2], Infinity],
    ["NaN", [1, NaN, 2], NaN],
    ["Inf after NaN", [NaN, Infinity], NaN],
    ["NaN after Inf", [Infinity, NaN], NaN],
  ])("the magnitude that a scale is made of, of %s, in one piece or merged", (_, numbers, amax) => {
    expect(tallyOf(numbers).amax).toBe(amax);
    const merged = new NumberTally();
    for (const x of numbers) merged.merge(tallyOf([x]));
    expect(merged.amax).toBe(amax);
  });

  it("of no numbers, or none that is finite, has no magnitudes", () => {
    expect(told(tallyOf([]))).toEqual(nothing);
    expect(told(tallyOf([Number.NaN, 0]))).toEqual({ ...nothing, elements: 2, zeros: 1, nonfinite: 1 });
  });

  it("leaves out a sum of squares that no fp64 number holds, and nothing else", () => {
    expect(told(tallyOf([1e200, 1]))).toEqual({ ...nothing, elements: 2, smallest: 1, largest: 1e200 });
  });
});

test("tallies of parts add up to that of the whole", () => {
  const [first, second] = [
    [0, 3, 2 ** -10, Number.NaN],
    [-5, 0, 0, 2 ** -12, Infinity],
  ];
  const [a, b] = [first, second].map((numbers) => tallyOf(numbers, 2 ** -6));
  a.merge(b);
  expect(told(a)).toEqual(told(tallyOf([...first, ...second], 2 ** -6)));
  expect(told(a)).toMatchObject({ elements: 9, zeros: 3, subnormals: 2, nonfinite: 2 });
  expect(told(a)).toMatchObject({ smallest: 2 ** -12, largest: 5 });
  const large = tallyOf([5]);
  large.merge(tallyOf([1]));
  expect(large).toMatchObject({ smallest: 1, largest: 5 });
});
