import { describe, expect, it } from "vitest";
import { decode } from "../../../src/format/encode.js";
import { format, formats } from "../../../src/format/registry.js";
import { compareNumbers, DifferenceTally } from "../../../src/lens/difference/difference.js";
import {
  CodeComparison,
  type Comparison,
  codeComparer,
  codesOf,
  isComparable,
} from "../../../src/lens/difference/difference-codes.js";
import { seeded } from "../../source/support.js";

/** Codes of a format as bytes. */
function stored(codes: readonly number[], bits: number): Uint8Array<ArrayBuffer> {
  const words = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array }[bits]!.from(codes);
  return new Uint8Array(words.buffer as ArrayBuffer);
}

/** What the fast comparison counts, as JSON. */
function counted(
  comparison: Comparison,
  before: Uint8Array,
  after: Uint8Array,
  into = new DifferenceTally(),
) {
  comparison.compare(before, after, into);
  comparison.end(into);
  return into.toJSON();
}

/** What the specification counts of the same codes, whole. */
function specified(name: string, before: readonly number[], after: readonly number[]) {
  const tally = new DifferenceTally();
  const numbers = (codes: readonly number[]) =>
    Float64Array.from(codes, (code) => decode(code, format(name)));
  compareNumbers(
    { before: numbers(before), after: numbers(after), codes: { before, after } },
    format(name),
    tally,
  );
  return tally.toJSON();
}

const comparable = ["e4m3fn", "e5m2", "bf16", "fp16", "fp32"];

/** Codes, and others of which `differ` in 1000 are a neighbour, the negative, a zero or any code. */
function drawn(name: string, { length = 1, seed = 1, differ = 100, nonfinite = 0 }) {
  const below = seeded(seed);
  const { bits, maxFiniteCode } = format(name);
  const sign = 2 ** (bits - 1);
  const any = () => below(maxFiniteCode + 1) + (below(2) === 0 ? sign : 0);
  const finite = (code: number) => (code >= 0 && code % sign <= maxFiniteCode ? code % (2 * sign) : 0);
  const before = Array.from({ length }, any);
  const after = before.map((code) => {
    if (below(1000) >= differ) return code;
    return finite([code + 1, code - 1, code + 5, code + sign, 0, sign, any()][below(7)]);
  });
  for (let n = 0; n < nonfinite; n++) {
    [before, after][n % 2][below(length)] = maxFiniteCode + 1 + (n % 3 === 0 ? sign : 0);
  }
  return { before, after };
}

describe.each(comparable)("codes of %s", (name) => {
  const { bits, maxFiniteCode } = format(name);

  it("count as their numbers do, at any length, with any share that differs", () => {
    const comparison = new CodeComparison(format(name));
    const lengths = [1, 2, 3, 4, 5, 7, 31, 4095, 4096, 4097, 2 * 4096, 2 * 4096 + 1003];
    for (const [seed, length] of lengths.entries()) {
      for (const differ of [0, 5, 300, 1000]) {
        const { before, after } = drawn(name, { length, seed: seed + 1, differ });
        const expected = specified(name, before, after);
        expect(counted(comparison, stored(before, bits), stored(after, bits))).toEqual(expected);
        expect(expected.elements).toBe(length);
      }
    }
  });

  it("count NaN and Inf apart, in a whole block and in a last one", () => {
    const comparison = new CodeComparison(format(name));
    for (const nonfinite of [1, 2, 9]) {
      const { before, after } = drawn(name, { length: 3 * 4096 + 77, seed: nonfinite, nonfinite });
      const expected = specified(name, before, after);
      expect(expected.nonfinite).toBeGreaterThan(0);
      expect(counted(comparison, stored(before, bits), stored(after, bits))).toEqual(expected);
    }
  });

  it("count NaN that stays, beside equal words", () => {
    const codes = Array.from({ length: 4096 + 8 }, (_, i) => i & 31);
    for (const at of [0, 4095, 4096, 4103]) {
      for (const sign of [0, 2 ** (bits - 1)]) {
        const withNaN = codes.with(at, 2 ** (bits - 1) - 1 + sign);
        const tally = counted(new CodeComparison(format(name)), stored(withNaN, bits), stored(withNaN, bits));
        expect(tally).toMatchObject({ elements: 4104, nonfinite: 1, nonfiniteChanged: 0, unchanged: 4103 });
      }
    }
  });

  it("are equal where they are zeros of both signs, but not their bytes", () => {
    const sign = 2 ** (bits - 1);
    const tally = counted(
      new CodeComparison(format(name)),
      stored([0, sign, 1, sign], bits),
      stored([sign, 0, 1, sign], bits),
    );
    expect(tally).toMatchObject({ elements: 4, unchanged: 4, bytesChanged: 2, pathNotTaken: 4 });
    expect(tally).toMatchObject({
      smallSubnetworks: 4,
      signFlips: 0,
      distances: [],
      displacementSquared: [],
    });
  });

  it("from the largest to the smallest number are as far apart as there are numbers", () => {
    const lowest = maxFiniteCode + 2 ** (bits - 1);
    const before = [maxFiniteCode, lowest, 1, 0];
    const after = [lowest, maxFiniteCode, 1, 0];
    const tally = counted(new CodeComparison(format(name)), stored(before, bits), stored(after, bits));
    expect(tally).toEqual(specified(name, before, after));
    expect(tally).toMatchObject({ unchanged: 2, signFlips: 2 });
  });

  it("add to what was counted before, block by block", () => {
    const comparison = new CodeComparison(format(name));
    const first = drawn(name, { length: 4096, seed: 5 });
    const second = drawn(name, { length: 100, seed: 6 });
    const into = new DifferenceTally();
    counted(comparison, stored(first.before, bits), stored(first.after, bits), into);
    const both = counted(comparison, stored(second.before, bits), stored(second.after, bits), into);
    const expected = specified(name, [...first.before, ...second.before], [...first.after, ...second.after]);
    expect(both).toEqual(expected);
  });

  it("may lie anywhere in a buffer", () => {
    const { before, after } = drawn(name, { length: 4096 + 4, seed: 8 });
    const shifted = (codes: readonly number[], by: number) => {
      const bytes = stored(codes, bits);
      const buffer = new Uint8Array(bytes.length + 64).fill(255);
      buffer.set(bytes, by);
      return buffer.subarray(by, by + bytes.length);
    };
    expect(counted(new CodeComparison(format(name)), shifted(before, 4), shifted(after, 12))).toEqual(
      specified(name, before, after),
    );
  });
});

describe("by hand", () => {
  // Codes of bf16: 1 is 3f80, its upper neighbour 1 + 2^-7; 2 is 4000.
  it("one step up, one sign, one move that both probes take for none", () => {
    const before = [0x3f80, 0x3f80, 0x3580, 0x4000];
    const after = [0x3f81, 0xbf80, 0x3581, 0x4000];
    const sum = 2 ** -14 + 4 + 2 ** -54;
    expect(counted(new CodeComparison(format("bf16")), stored(before, 16), stored(after, 16))).toMatchObject({
      ...{ elements: 4, unchanged: 1, bytesChanged: 3, signFlips: 1, nonfinite: 0 },
      // 2^-20 moves by 2^-27: less than 1e-5, more than a thousandth of itself.
      ...{ pathNotTaken: 1, smallSubnetworks: 2 },
      displacementSquared: [sum],
    });
  });

  it("nothing of nothing", () => {
    const nothing = new Uint8Array();
    for (const name of comparable) {
      const tally = counted(new CodeComparison(format(name)), nothing, nothing);
      expect(tally).toEqual(new DifferenceTally().toJSON());
    }
  });

  it("a displacement beyond fp32 is counted as the specification does", () => {
    const [most, least] = [0x7f7f, 0xff7f];
    const before = Array.from({ length: 4096 }, () => most);
    const after = before.with(7, least);
    const tally = counted(new CodeComparison(format("bf16")), stored(before, 16), stored(after, 16));
    expect(tally).toEqual(specified("bf16", before, after));
    expect(tally.bytesChanged).toBe(1);
  });
});

it("compares formats of 8, 16 and 32 bits with a sign and both zeros, and refuses all others", () => {
  expect(
    [...formats.values()]
      .filter(isComparable)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...comparable].sort());
  for (const name of ["e4m3fnuz", "e8m0fnu", "e2m1fn", "tf32"]) {
    expect(() => new CodeComparison(format(name))).toThrow(`${name} has no comparison of codes`);
  }
});

it("reads codes of each width where they lie", () => {
  const bytes = Uint8Array.of(9, 9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8).subarray(4);
  expect(codesOf(bytes, 8)).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  expect(codesOf(bytes, 16)).toEqual(Uint16Array.of(0x201, 0x403, 0x605, 0x807));
  expect(codesOf(bytes, 32)).toEqual(Uint32Array.of(0x4030201, 0x8070605));
});

it("keeps one comparison a format", () => {
  const comparer = codeComparer();
  const [bf16, fp16] = [format("bf16"), format("fp16")].map((each) => comparer.comparison(each));
  expect(bf16).not.toBe(fp16);
  expect(comparer.comparison(format("bf16"))).toBe(bf16);
  expect(comparer.comparison(format("fp16"))).toBe(fp16);
  const [before, after] = [stored([0x3c00, 0x4000], 16), stored([0x3c00, 0x4001], 16)];
  expect(counted(fp16, before, after)).toEqual(specified("fp16", [0x3c00, 0x4000], [0x3c00, 0x4001]));
  expect(comparer.allocate(12)).toEqual(new Uint8Array(12));
});
