import { describe, expect, it } from "vitest";
import { format, formats } from "../../src/format/registry.js";
import { bin, binOfGap, Histogram, outermostBin } from "../../src/lens/histogram.js";

describe("bin", () => {
  it("is floor(log2(|u| / ulp(w)))", () => {
    const bf16 = format("bf16");
    // ulp(1) = 2^-7, ulp(0.999...) = 2^-8.
    expect(bin(2 ** -7, 1, bf16)).toBe(0);
    expect(bin(-(2 ** -7) * 0.999, 1, bf16)).toBe(-1);
    expect(bin(2 ** -8, 1, bf16)).toBe(-1);
    expect(bin(2 ** -8, 0.998046875, bf16)).toBe(0);
    expect(bin(1, -1, bf16)).toBe(7);
    expect(bin(2 ** -133, 0, bf16)).toBe(0);
    expect(bin(2 ** -149, 2 ** -127, bf16)).toBe(-16);
  });

  it("agrees with logarithms away from their edges", () => {
    for (const name of ["bf16", "fp16", "e4m3fn", "fp32"]) {
      const { precision, minExponent } = format(name);
      for (const weight of [0.0123, 0.7, 3.3, 100.5]) {
        for (const update of [1.1e-9, -3.3e-5, 0.017, 5.7]) {
          const exponent = Math.max(Math.floor(Math.log2(weight)), minExponent);
          const expected = Math.floor(Math.log2(Math.abs(update)) - (exponent + 1 - precision));
          expect(bin(update, weight, format(name))).toBe(expected);
        }
      }
    }
  });

  it("stays within the outermost bin for fp32 updates of every format", () => {
    for (const storageFormat of formats.values()) {
      expect(bin(2 ** -149, storageFormat.maxFinite, storageFormat)).toBeGreaterThanOrEqual(-outermostBin);
      expect(bin(3.4e38, 0, storageFormat)).toBeLessThanOrEqual(outermostBin);
    }
    expect(bin(3.4e38, 0, format("fp32"))).toBe(outermostBin);
    expect(bin(2 ** -149, format("fp32").maxFinite, format("fp32"))).toBe(-253);
  });
});

describe("the bin of a gap that is no power of two", () => {
  it.each([
    [3, 3, 0],
    [1, 3, -2], // 1/3 is in [1/4, 1/2)
    [-7, 3, 1], // 7/3 is in [2, 4)
    [2.999, 3, -1],
    [6, 3, 1],
    [-1e-6, 3 * 2 ** -10, -12], // 3.413e-4 is in [2^-12, 2^-11)
  ])("of an update of %f and a gap of %f is %i", (update, gap, expected) => {
    expect(binOfGap(update, gap)).toBe(expected);
  });

  it("stays within the outermost bins, since scales may be smaller and larger than any weight", () => {
    expect(binOfGap(2 ** 127, 2 ** -149)).toBe(276);
    expect(binOfGap(-(2 ** 127), 2 ** -160)).toBe(outermostBin);
    expect(binOfGap(2 ** -149, 2 ** 127)).toBe(-276);
    expect(binOfGap(2 ** -149, 2 ** 140)).toBe(-outermostBin);
  });

  it("is the bin of a plain format where the gap is a power of two", () => {
    for (const update of [1e-9, -0.017, 5.7]) {
      expect(binOfGap(update, 2 ** -7)).toBe(bin(update, 1, format("bf16")));
    }
  });
});

describe("Histogram", () => {
  it("gives the occupied range of bins, and comes back from it", () => {
    const histogram = new Histogram();
    histogram.add("lost", -20, 3);
    histogram.add("moved", -18, 1);
    histogram.add("lost", -20, 1);
    const json = { firstBin: -20, lost: [4, 0, 0], kept: [0, 0, 0], moved: [0, 0, 1] };
    expect(histogram.toJSON()).toEqual(json);
    const twice = Histogram.fromJSON(json);
    twice.merge(histogram);
    expect(twice.toJSON()).toEqual({ firstBin: -20, lost: [8, 0, 0], kept: [0, 0, 0], moved: [0, 0, 2] });
  });

  it("drops empty bins at the ends of what it comes back from", () => {
    const json = { firstBin: -3, lost: [0, 2, 0, 0], kept: [0, 0, 0, 0], moved: [0, 0, 1, 0] };
    const occupied = { firstBin: -2, lost: [2, 0], kept: [0, 0], moved: [0, 1] };
    expect(Histogram.fromJSON(json).toJSON()).toEqual(occupied);
  });

  it("has no first bin where nothing was counted", () => {
    const empty = { firstBin: null, lost: [], kept: [], moved: [] };
    expect(new Histogram().toJSON()).toEqual(empty);
    expect(Histogram.fromJSON(empty).toJSON()).toEqual(empty);
  });
});
