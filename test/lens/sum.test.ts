import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  blockLength,
  ExactSum,
  laneCount,
  SparseSum,
  sumOfLanes,
  sumOfProducts,
} from "../../src/lens/sum.js";

/** fp64 numbers of any size that cannot overflow in a sum of a few hundred. */
const number = fc.double({ noNaN: true, min: -1e300, max: 1e300 });

/** A finite fp64 number in units of 2^-1074, exactly. */
function units(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const field = (bits >> 52n) & 0x7ffn;
  const significand = (bits & 0xfffffffffffffn) | (field === 0n ? 0n : 1n << 52n);
  const magnitude = significand << (field === 0n ? 0n : field - 1n);
  return bits >> 63n ? -magnitude : magnitude;
}

/** The nearest fp64 number to an integer of units, ties to even. */
function nearest(sum: bigint): number {
  const magnitude = sum < 0n ? -sum : sum;
  const excess = BigInt(Math.max(0, magnitude.toString(2).length - 53));
  let significand = magnitude >> excess;
  const rest = magnitude - (significand << excess);
  const half = excess === 0n ? 1n : 1n << (excess - 1n);
  if (excess > 0n && (rest > half || (rest === half && significand % 2n === 1n))) significand += 1n;
  const exponent = Number(excess) - 1074;
  // In two factors, neither of which leaves the fp64 range.
  const firstHalf = Math.trunc(exponent / 2);
  const value = Number(significand) * 2 ** firstHalf * 2 ** (exponent - firstHalf);
  return sum < 0n ? -value : value;
}

describe("ExactSum", () => {
  it("is the exact sum, rounded once", () => {
    fc.assert(
      fc.property(fc.array(number, { maxLength: 60 }), (numbers) => {
        const exact = numbers.reduce((sum, x) => sum + units(x), 0n);
        expect(ExactSum.of(numbers).value() + 0).toBe(nearest(exact) + 0);
      }),
      { numRuns: 2000 },
    );
  });

  it("does not depend on order or grouping, nor do its parts", () => {
    fc.assert(
      fc.property(fc.array(number), fc.nat(), (numbers, cut) => {
        const shuffled = [...numbers].sort((a, b) => Math.sin(1e3 * a) - Math.sin(1e3 * b));
        const grouped = ExactSum.of(shuffled.slice(0, cut % (numbers.length + 1)));
        grouped.addAll(ExactSum.of(shuffled.slice(cut % (numbers.length + 1))));
        const sum = ExactSum.of(numbers);
        expect(grouped.value()).toBe(sum.value());
        expect(grouped.parts()).toEqual(sum.parts());
        expect(sum.parts().reduce((total, part) => total + units(part), 0n)).toBe(
          numbers.reduce((total, x) => total + units(x), 0n),
        );
      }),
    );
  });

  it("breaks ties by what lies below them", () => {
    expect(ExactSum.of([1, 2 ** -53, 2 ** -120]).value()).toBe(1 + 2 ** -52);
    expect(ExactSum.of([1, 2 ** -53, -(2 ** -120)]).value()).toBe(1);
    expect(ExactSum.of([1, 2 ** -53]).value()).toBe(1);
    // Below 1 the gap is half as large.
    expect(ExactSum.of([1, -(2 ** -54), -(2 ** -120)]).value()).toBe(1 - 2 ** -53);
    expect(ExactSum.of([1, -(2 ** -54), 2 ** -120]).value()).toBe(1);
    expect(ExactSum.of([-1, -(2 ** -53), -(2 ** -120)]).value()).toBe(-1 - 2 ** -52);
    expect(ExactSum.of([1e100, 1, -1e100]).parts()).toEqual([1]);
    expect(ExactSum.of([]).value()).toBe(0);
  });

  it("is +0 where nothing is left, whatever the signs of zeros", () => {
    for (const numbers of [[], [-0], [-0, -0], [1.5, -1.5], [-1.5, 1.5, -0]]) {
      expect(ExactSum.of(numbers).value()).toBe(0);
      expect(ExactSum.of(numbers).parts()).toEqual([]);
    }
  });
});

it("lanes are combined pairwise", () => {
  const lanes = Float64Array.from({ length: laneCount }, (_, lane) => (lane === 0 ? 1 : 2 ** -53));
  // From the left each 2^-53 would be a tie that 1 swallows.
  expect(sumOfLanes(lanes)).toBe(1 + 6 * 2 ** -53);
});

describe("a sum of products", () => {
  const [first, second] = [blockLength, 2 * blockLength];
  const a = Float32Array.from({ length: second }, (_, i) => i % 5);
  const b = Float32Array.from({ length: second }, (_, i) => (i % 3) - 1);
  const by = (i: number) => a[i] * b[i];

  it("is of the elements from the start to before the end", () => {
    const indices = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
    for (const [start, end] of [
      [0, first],
      [first, second],
      [first, first + 13],
      [first, first + 1],
      [first, first],
    ]) {
      // Small integers: every order gives the same sum.
      const expected = indices(start, end).reduce((sum, i) => sum + by(i), 0);
      expect(sumOfProducts(a, b, start, end)).toBe(expected);
    }
    expect(sumOfProducts(Float32Array.of(2, 3), Float32Array.of(5, -7), 0, 2)).toBe(2 * 5 - 3 * 7);
  });

  it("adds an element to the lane of its index, and combines lanes pairwise", () => {
    const withOnesAt = (...ones: number[]) => {
      const terms = new Float32Array(24);
      terms[0] = 2 ** 53;
      for (const i of ones) terms[i] = 1;
      return sumOfProducts(terms, new Float32Array(24).fill(1), 0, 24);
    };
    // 2^53 + 1 is a tie that goes to 2^53, so a 1 counts only where it meets another one first.
    expect(withOnesAt(8, 16)).toBe(2 ** 53); // all in lane 0
    expect(withOnesAt(9, 17)).toBe(2 ** 53 + 2); // both in lane 1
    expect(withOnesAt(1, 2)).toBe(2 ** 53); // lane 1 meets lane 0
    expect(withOnesAt(2, 3)).toBe(2 ** 53 + 2); // lanes 2 and 3 meet each other
  });
});

it("a sparse sum fills lanes in the order of its terms, from the first again in each block", () => {
  const sum = new SparseSum();
  const of = (terms: readonly number[]) => {
    for (const term of terms) sum.add(term);
    return sum.end();
  };
  const rest = (ones: readonly number[]) =>
    Array.from({ length: 16 }, (_, i) => (ones.includes(i + 1) ? 1 : 0));
  expect(of([2 ** 53, ...rest([8, 16])])).toBe(2 ** 53);
  expect(of([2 ** 53, ...rest([9, 1])])).toBe(2 ** 53 + 2);
  expect(of([2 ** 53, ...rest([2, 3])])).toBe(2 ** 53 + 2);
  expect(of([])).toBe(0);
});
