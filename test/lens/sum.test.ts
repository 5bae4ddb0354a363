import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExactSum, laneCount, sumOfLanes } from "../../src/lens/sum.js";

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
    expect(ExactSum.of([1e100, 1, -1e100]).parts()).toEqual([1]);
    expect(ExactSum.of([]).value()).toBe(0);
  });
});

it("lanes are combined pairwise", () => {
  const lanes = Float64Array.from({ length: laneCount }, (_, lane) => (lane === 0 ? 1 : 2 ** -53));
  // From the left each 2^-53 would be a tie that 1 swallows.
  expect(sumOfLanes(lanes)).toBe(1 + 6 * 2 ** -53);
});
