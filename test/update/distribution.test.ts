import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cellCount,
  drawFrom,
  gaussian,
  normalQuantile,
  student4,
  weibull,
} from "../../src/update/distribution.js";
import { float32Bits } from "../support/bits.js";

const { exp, sqrt, PI } = Math;

/** Of the standard normal distribution, by the series of erf (Abramowitz and Stegun 7.1.6): all terms positive. */
function normalCdf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (x * x) / (2 * n + 1);
    sum += term;
  }
  return 0.5 + (sum * exp((-x * x) / 2)) / sqrt(2 * PI);
}

/** Of Student's t with 4 degrees of freedom. */
function student4Cdf(t: number): number {
  const s = t / sqrt(4 + t * t);
  return 0.5 + 0.75 * (s - s ** 3 / 3);
}

/** Of numbers of either sign whose magnitudes have Weibull's distribution of scale 1. */
const weibullCdf = (shape: number) => (x: number) =>
  x < 0 ? 0.5 * exp(-((-x) ** shape)) : 1 - 0.5 * exp(-(x ** shape));

/** Where a distribution function rises to p. */
function inverse(cdf: (x: number) => number, p: number): number {
  let [low, high] = [-1000, 1000];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (cdf(middle) < p) low = middle;
    else high = middle;
  }
  return low;
}

const normalSeriesOrTail = (x: number) => (x < -8 ? 0 : x > 8 ? 1 : normalCdf(x));

/** Mean of the numbers above q, by closed forms or Simpson's rule. */
const meanAbove = {
  gaussian: (q: number) => exp((-q * q) / 2) / sqrt(2 * PI) / (1 - normalCdf(q)),
  // The density is 3/8 (1 + t^2 / 4)^(-5/2).
  student4: (q: number) => (0.5 * (1 + (q * q) / 4) ** -1.5) / (1 - student4Cdf(q)),
  weibull: (shape: number) => (q: number) => {
    const above = (x: number) => exp(q ** shape - x ** shape);
    const [parts, end] = [4000, 30];
    const width = (end - q) / parts;
    let sum = 0;
    for (let i = 0; i <= parts; i++) {
      sum += above(q + i * width) * (i === 0 || i === parts ? 1 : i % 2 === 1 ? 4 : 2);
    }
    return q + (sum * width) / 3;
  },
};

/** By Python's math.gamma: Weibull's mean square is gamma(1 + 2 / shape). */
const gammaOf1Plus2Over113 = 1.6349409909768176;

/** `variance` is that of the distribution function: the knots are its quantiles over the root of about that. */
const subjects = [
  { of: gaussian, cdf: normalSeriesOrTail, above: meanAbove.gaussian, variance: 1, off: 1e-4 },
  // Of its tail's variance a cell with an end leaves a part away.
  { of: student4, cdf: student4Cdf, above: meanAbove.student4, variance: 2, off: 0.04 },
  {
    of: weibull(1.13),
    cdf: weibullCdf(1.13),
    above: meanAbove.weibull(1.13),
    variance: gammaOf1Plus2Over113,
    off: 1e-3,
  },
];

describe.each(subjects.map((subject) => [subject.of.name, subject] as const))("%s", (_, subject) => {
  const { of: distribution, cdf, above, variance, off } = subject;
  const { knots } = distribution;
  const half = cellCount / 2;
  // One number that all knots are multiples by; what it is follows from the variance, below.
  const scale = knots[half + half / 2] / inverse(cdf, 0.75);

  it("has its probability exactly at every knot but the ends", () => {
    expect(knots).toHaveLength(cellCount + 1);
    let worst = 0;
    for (let i = 1; i < cellCount; i++) {
      // In parts of the smaller tail.
      const share = i / cellCount;
      const off = Math.abs(cdf(knots[i] / scale) - share) / Math.min(share, 1 - share);
      worst = Math.max(worst, off);
    }
    // A knot of fp32 is off by 2^-24 of itself, and the one that gave the scale too.
    expect(worst).toBeLessThan(2e-6);
  });

  it("ends where the mean of the outermost cell is that of the tail", () => {
    const inner = knots[cellCount - 1] / scale;
    const mean = (inner + knots[cellCount] / scale) / 2;
    expect(Math.abs(mean / above(inner) - 1)).toBeLessThan(1e-5);
  });

  it("has mean 0, variance 1, and is symmetric", () => {
    let square = 0;
    for (let i = 0; i < cellCount; i++) {
      expect(knots[cellCount - i]).toBe(0 - knots[i]);
      // Of a number that is spread evenly from a to b: the mean squared, and a twelfth of the width squared.
      const [a, b] = [knots[i], knots[i + 1]];
      square += ((a + b) / 2) ** 2 + (b - a) ** 2 / 12;
    }
    expect(Math.abs(square / cellCount - 1)).toBeLessThan(1e-6);
    expect(Math.abs(scale * sqrt(variance) - 1)).toBeLessThan(off);
  });

  it("draws of evenly spaced bits have variance 1 too", () => {
    const draws = 2 ** 18;
    let [sum, square] = [0, 0];
    for (let i = 0; i < draws; i++) {
      const x = drawFrom(distribution, (i + 0.5) * 2 ** 14);
      sum += x;
      square += x * x;
    }
    expect(Math.abs(sum / draws)).toBeLessThan(1e-6);
    // 64 points of a cell: its own variance is short of 1 / 64^2.
    expect(Math.abs(square / draws - 1)).toBeLessThan(1e-5);
  });

  it("draws what lies between the knots of the leading 12 bits, the rest in proportion", () => {
    fc.assert(
      fc.property(fc.nat(cellCount - 1), fc.nat(2 ** 20 - 1), (cell, rest) => {
        const [a, b] = [knots[cell], knots[cell + 1]];
        const exact = a + (b - a) * (rest / 2 ** 20);
        const drawn = drawFrom(distribution, cell * 2 ** 20 + rest);
        expect(Math.fround(drawn)).toBe(drawn);
        expect(Math.abs(drawn - exact)).toBeLessThanOrEqual(2 ** -23 * Math.max(Math.abs(a), Math.abs(b)));
      }),
      { numRuns: 2000 },
    );
  });

  it("never falls from one number of bits to the next", () => {
    let before = drawFrom(distribution, 0);
    expect(before).toBe(knots[0]);
    // All where cells meet, and points in between.
    for (let cell = 0; cell < cellCount; cell++) {
      for (const rest of [0, 1, 2, 1000, 2 ** 19 - 1, 2 ** 19, 2 ** 20 - 2, 2 ** 20 - 1]) {
        const drawn = drawFrom(distribution, cell * 2 ** 20 + rest);
        if (drawn < before) expect.fail(`${cell} ${rest}: ${drawn} after ${before}`);
        before = drawn;
      }
    }
    expect(before).toBeLessThanOrEqual(knots[cellCount]);
  });

  it("takes bits as a signed number or an unsigned one", () => {
    for (const bits of [0x80000000, 0xdeadbeef, 0xffffffff])
      expect(drawFrom(distribution, bits | 0)).toBe(drawFrom(distribution, bits));
  });
});

describe("the bits, for ever and on every machine", () => {
  const words = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x12345678, 0xdeadbeef];

  it.each([
    [gaussian, "c07f70c4 c07f70c2 b0200000 00000000 407f70c2 bfbbd806 3f9013b2", "8b57f24ee3077195"],
    [student4, "c145dd25 c145dd20 aff00000 00000000 4145dd20 bfa56e35 3f6da757", "e66d6dede836f2ad"],
    [weibull(1.13), "c0b9a385 c0b9a383 b0700000 00000000 40b9a383 bfb4cad1 3f8231b5", "eee5ac6d5459cd76"],
    [weibull(1.2), "c0ac2c66 c0ac2c64 b0c00000 00000000 40ac2c64 bfb6130f 3f85a725", "2b1209b2054eda8d"],
  ])("$0.name", (distribution, draws, digest) => {
    const drawn = words.map((word) =>
      float32Bits(drawFrom(distribution, word)).toString(16).padStart(8, "0"),
    );
    expect(drawn.join(" ")).toBe(draws);
    const bytes = new DataView(new ArrayBuffer(4 * distribution.knots.length));
    for (const [i, knot] of distribution.knots.entries()) bytes.setFloat32(4 * i, knot, true);
    expect(createHash("sha256").update(bytes).digest("hex").slice(0, 16)).toBe(digest);
  });
});

describe("normalQuantile", () => {
  it("inverts the normal distribution, in the middle and in the tail", () => {
    for (const x of [0, 0.001, 0.5, 1, 1.439, 1.441, 2, 3, 4, 5]) {
      const tail = 1 - normalCdf(x);
      // The tail is a difference from 1: its last place divided by the density.
      const error = 2 ** -51 * sqrt(2 * PI) * exp((x * x) / 2);
      expect(Math.abs(normalQuantile(1 - tail, tail) - x)).toBeLessThanOrEqual(error + 4e-15);
    }
  });

  it("gives the published percentage points", () => {
    expect(normalQuantile(0.75)).toBeCloseTo(0.6744897501960817, 15);
    expect(normalQuantile(0.999)).toBeCloseTo(3.090232306167813, 12);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
  });
});

it("distributions are named as in results", () => {
  expect([gaussian, student4, weibull(1.2)].map(({ name }) => name)).toEqual([
    "gaussian",
    "student-4",
    "weibull-1.2",
  ]);
});
