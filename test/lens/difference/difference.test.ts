import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { format } from "../../../src/format/registry.js";
import { compareNumbers, DifferenceTally, displacement } from "../../../src/lens/difference/difference.js";
import { CodeComparison, isComparable } from "../../../src/lens/difference/difference-codes.js";
import { blockLength } from "../../../src/lens/sum.js";
import { distanceBin, leastDistance, ulpDistance } from "../../../src/lens/ulp-distance.js";
import { seeded } from "../../source/support.js";
import { bitsOf, countsOf, expectedCounts, layouts, numberOf } from "../../support/difference.js";
import { sized } from "../../support/tier.js";

type Name = keyof typeof layouts;
const names = Object.keys(layouts) as Name[];

/** Codes before and after as training leaves them: most equal, many a few ulps apart, some anywhere at all. */
function codePairs(name: Name, length: number, seed: number, wild = 40) {
  const bits = bitsOf(layouts[name]);
  const below = seeded(seed);
  // Two draws: one has 32 bits, of which the lowest are the best.
  const any = () => (bits === 32 ? below(2 ** 16) * 2 ** 16 + below(2 ** 16) : below(2 ** bits));
  const finite = () => {
    for (;;) {
      const code = any();
      if (code % 2 ** (bits - 1) < layouts[name].firstNonfinite) return code;
    }
  };
  const before = Array.from({ length }, () => (wild > 0 && below(wild) === 0 ? any() : finite()));
  const after = before.map((code) => {
    const kind = below(10);
    if (kind < 6) return code;
    const half = 2 ** (bits - 1);
    if (kind < 8) return code % half > 20 ? code - below(20) : code;
    if (kind === 8) return wild > 0 ? any() : finite();
    return code >= half ? code - half : code + half;
  });
  return { before, after };
}

function bytesOf(codes: readonly number[], bits: number): Uint8Array {
  const array =
    bits === 8 ? Uint8Array.from(codes) : bits === 16 ? Uint16Array.from(codes) : Uint32Array.from(codes);
  return new Uint8Array(array.buffer);
}

function bySpecification(name: Name, before: readonly number[], after: readonly number[]) {
  const tally = new DifferenceTally();
  const numbers = (codes: readonly number[]) =>
    Float64Array.from(codes, (code) => numberOf(code, layouts[name]));
  compareNumbers(
    { before: numbers(before), after: numbers(after), codes: { before, after } },
    format(name),
    tally,
  );
  return tally.toJSON();
}

function byCodes(name: Name, before: readonly number[], after: readonly number[]) {
  const tally = new DifferenceTally();
  const bits = bitsOf(layouts[name]);
  new CodeComparison(format(name)).compare(bytesOf(before, bits), bytesOf(after, bits), tally);
  return tally.toJSON();
}

describe.each(names)("%s", (name) => {
  const lengths = [0, 1, 2, 3, 5, 8, 4095, 4096, 4097, 3 * 4096 + 7];

  test.each(lengths)("%i elements: specification, fast twin and brute force agree", (length) => {
    for (const wild of sized({ quick: [0, 40], full: [0, 40, 5000] })) {
      const { before, after } = codePairs(name, length, length + wild + 1, wild);
      const specified = bySpecification(name, before, after);
      expect(countsOf(specified)).toEqual(expectedCounts(before, after, layouts[name]));
      expect(byCodes(name, before, after)).toEqual(specified);
    }
  });

  test("parts that begin at a block add up to the whole, to the last bit", () => {
    const { before, after } = codePairs(name, 5 * blockLength + 11, 9);
    const whole = byCodes(name, before, after);
    const merged = new DifferenceTally();
    for (const [from, to] of [
      [2, 4],
      [0, 2],
      [4, 6],
    ].map((blocks) => blocks.map((n) => n * blockLength))) {
      merged.merge(DifferenceTally.fromJSON(byCodes(name, before.slice(from, to), after.slice(from, to))));
    }
    expect(merged.toJSON()).toEqual(whole);
  });

  test("a tensor against itself is unchanged", () => {
    const { before } = codePairs(name, 10_000, 3);
    const { elements, nonfinite, nonfiniteChanged, unchanged, distances, displacementSquared } = byCodes(
      name,
      before,
      before,
    );
    expect({
      elements,
      changed: elements - nonfinite - unchanged,
      nonfiniteChanged,
      distances,
      displacementSquared,
    }).toEqual({
      elements: 10_000,
      changed: 0,
      nonfiniteChanged: 0,
      distances: [],
      displacementSquared: [],
    });
  });

  test("sides exchanged count the same", () => {
    const { before, after } = codePairs(name, 10_000, 4);
    expect(byCodes(name, after, before)).toEqual(byCodes(name, before, after));
  });
});

describe("a tally", () => {
  test("has as changed what is finite and not the same", () => {
    const tally = Object.assign(new DifferenceTally(), { elements: 10, nonfinite: 2, unchanged: 5 });
    expect(tally.changed).toBe(3);
  });

  test("takes elements that are the same without looking at them", () => {
    const [counted, added] = [new DifferenceTally(), new DifferenceTally()];
    const same = Float64Array.of(1, -2, 0);
    compareNumbers({ before: same, after: same }, format("bf16"), counted);
    added.addSame(1);
    added.addSame(2);
    expect(added.toJSON()).toEqual(counted.toJSON());
  });

  test("adds up what shared scales changed, and has as JSON what it was restored from", () => {
    const shared = { codes: 1, blocks: 2, blockScales: 1, tensors: 1, tensorScales: 0, bits: 12 };
    const json = { ...new DifferenceTally().toJSON(), shared: { ...shared, numbers: 5 } };
    const tally = DifferenceTally.fromJSON(json);
    expect(tally.toJSON()).toEqual(json);
    tally.merge(DifferenceTally.fromJSON(json));
    expect(tally.numbersChanged).toBe(10);
    expect(tally.toJSON().shared).toMatchObject({ codes: 2, numbers: 10 });
    tally.merge(new DifferenceTally());
    expect(tally.numbersChanged).toBe(10);
    // Of a tally from before there were codes with scales.
    const { codes: _, codesChanged: __, ...then } = new DifferenceTally().toJSON();
    expect(DifferenceTally.fromJSON(then as typeof json)).toMatchObject({ codes: 0, codesChanged: 0 });
  });
});

describe("compareNumbers", () => {
  const compared = (before: number[], after: number[], name: string, updated: number[] | null = null) => {
    const tally = new DifferenceTally();
    const numbers = {
      before: Float64Array.from(before),
      after: Float64Array.from(after),
      updated: updated && Uint8Array.from(updated),
    };
    compareNumbers(numbers, name === "fp64" ? name : format(name), tally);
    return tally.toJSON();
  };

  test("rounds what is wider, and tells what that hides", () => {
    // 1 + 2^-9 is a tie and goes to 1 in bf16; 1 + 2^-8 + 2^-20 goes up to 1 + 2^-7.
    const after = [1, 1 + 2 ** -9, 1 + 2 ** -8 + 2 ** -20, -1];
    expect(compared([1, 1, 1, 1], after, "bf16")).toMatchObject({ unchanged: 2, hidden: 1, signFlips: 1 });
    expect(compared([1, 1, 1, 1], after, "fp32")).toMatchObject({ unchanged: 1, hidden: 0 });
  });

  test("what overflows the compared format is not finite there", () => {
    expect(compared([70_000, 70_000, 1], [70_000, 1, 70_000], "fp16")).toMatchObject({
      nonfinite: 3,
      nonfiniteChanged: 2,
      unchanged: 0,
    });
  });

  test("both zeros are one number, NaN is like NaN", () => {
    expect(compared([0, -0, NaN, NaN, Infinity], [-0, 0, NaN, 1, -Infinity], "bf16")).toMatchObject({
      unchanged: 2,
      // By bytes the zeros are two.
      bytesChanged: 4,
      hidden: 0,
      signFlips: 0,
      nonfinite: 3,
      nonfiniteChanged: 2,
      distances: [],
    });
  });

  test("zero has no sign to flip", () => {
    const flips = (before: number[], after: number[]) => compared(before, after, "bf16").signFlips;
    expect(flips([0, 0, -1, 1, -0, -1, 1], [-1, 1, 0, 0, 1, -2, 2])).toBe(0);
    expect(flips([-1, 1], [1, -2])).toBe(2);
  });

  test("counts what a cast to a format that usually has scales does to small weights after", () => {
    // The smallest normal number of e4m3fn is 2^-6; half of its smallest, 2^-10, goes to zero.
    const after = [2 ** -6, 2 ** -7, 2 ** -10, Number.NaN];
    const casts = { cast: 3, castBelowNormal: 2, castZero: 1 };
    expect(compared([1, 1, 1, 1], after, "e4m3fn")).toMatchObject(casts);
    for (const name of ["bf16", "fp64"]) expect(compared([1, 1, 1, 1], after, name).cast).toBe(0);
    const tally = new DifferenceTally();
    const numbers = { before: Float64Array.of(1, 1, 1, 1), after: Float64Array.from(after) };
    for (let i = 0; i < 2; i++) compareNumbers(numbers, format("e4m3fn"), tally);
    expect(tally).toMatchObject({ cast: 6, castBelowNormal: 4, castZero: 2 });
    // Codes were cast to nothing.
    const codes = { before: [0x38, 0x38, 0x38, 0x38], after: [0x08, 0x04, 0x00, 0x7f] };
    compareNumbers({ ...numbers, codes }, format("e4m3fn"), tally);
    expect(tally.cast).toBe(6);
  });

  test("fp64 is compared as it is", () => {
    const next = 1 + 2 ** -52;
    expect(compared([1, 1, -5e-324], [next, 1, 5e-324], "fp64")).toMatchObject({
      unchanged: 1,
      signFlips: 1,
      distances: [1, 1],
    });
    expect(ulpDistance(-Number.MAX_VALUE, Number.MAX_VALUE, "fp64")).toBe(2n * 0x7fef_ffff_ffff_ffffn);
  });

  test("counts the finite elements that no update met", () => {
    expect(compared([1, 1, 1, NaN], [1, 2, 1, 1], "bf16", [0, 1, 1, 0]).neverUpdated).toBe(1);
  });

  test("a displacement beyond fp32 is the largest fp32", () => {
    const most = (2 - 2 ** -7) * 2 ** 127;
    expect(displacement(-most, most)).toBe((2 - 2 ** -23) * 2 ** 127);
    const { displacementSquared } = compared([-most], [most], "bf16");
    expect(displacementSquared).toEqual([((2 - 2 ** -23) * 2 ** 127) ** 2]);
    expect(byCodes("bf16", [0xff7f, 0x3f80], [0x7f7f, 0x3f80]).displacementSquared).toEqual(
      displacementSquared,
    );
  });
});

describe("distance bins", () => {
  test("hold each distance from the least of a bin to that of the next", () => {
    const distances = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2 ** 32 - 1 }));
    fc.assert(
      fc.property(distances, (distance) => {
        const bin = distanceBin(distance);
        expect(leastDistance(bin)).toBeLessThanOrEqual(distance);
        expect(leastDistance(bin + 1)).toBeGreaterThan(distance);
        expect(distanceBin(BigInt(distance))).toBe(bin);
      }),
    );
    expect([1, 15, 16, 31, 32, 2 ** 16].map(distanceBin)).toEqual([0, 14, 15, 15, 16, 27]);
  });
});

test("formats without a code comparison are refused", () => {
  for (const name of ["tf32", "e4m3fnuz", "e2m1fn"]) {
    expect(isComparable(format(name))).toBe(false);
    expect(() => new CodeComparison(format(name))).toThrow(RangeError);
  }
});
