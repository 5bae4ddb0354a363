/** The backward pass against finite differences, in fp64, and the matrix kernels against each other. */
import { describe, expect, test } from "vitest";
import { Decoder } from "../../src/learn/decoder/decoder.js";
import { exp, geluFp32, geluFp64 } from "../../src/learn/decoder/elementary.js";
import { LogShares } from "../../src/learn/decoder/log-shares.js";
import { openDecoder } from "../../src/learn/decoder/open.js";
import { plainFp32, plainFp64 } from "../../src/learn/decoder/plain.js";
import { Prefixes } from "../../src/learn/decoder/prefixes.js";
import { paddedVocabulary, parameters } from "../../src/learn/decoder/shape.js";
import { allocatedBytes, simdFp32 } from "../../src/learn/decoder/simd.js";
import { weightedLogLoss } from "../../src/learn/losses.js";
import { seeded } from "../source/support.js";
import { data, modelIn } from "./support.js";

const base = modelIn(data("recorded/base.safetensors"));

/** Two prompts that begin alike, and an answer to one that branches. */
function texts(): Prefixes {
  const prefixes = new Prefixes(32);
  prefixes.text([1, 2, 10, 3, 4, 11, 6, 4]);
  prefixes.text([1, 2, 10, 3, 4, 11, 5]);
  prefixes.text([1, 7, 10, 0, 4, 11, 1, 2]);
  return prefixes;
}

describe("backward", () => {
  const prefixes = texts();
  const decoder = new Decoder(plainFp64, prefixes, { rows: prefixes.count, trains: true });
  const logs = new LogShares(prefixes.count);
  // Tokens that are likely, unlikely and never seen: the gradient is about any of them.
  const answers = Array.from({ length: prefixes.count }, (_, row) => ({
    rows: [row],
    tokens: [(5 * row) % 13],
  }));
  const weights = answers.map((_, i) => 1 - (i % 3));
  const loss = (model: Float64Array) => {
    decoder.setWeights(model);
    decoder.forward(0, prefixes.count);
    logs.read(decoder.logits, 0, prefixes.count);
    decoder.dLogits.fill(0);
    return weightedLogLoss(answers, weights, logs, decoder.dLogits);
  };
  loss(base);
  decoder.backward();
  const gradient = Float64Array.from(decoder.gradient);

  test.each(parameters)("$name: the gradient is the slope of the loss", ({ at, length }) => {
    const most = gradient.subarray(at, at + length).reduce((max, g) => Math.max(max, Math.abs(g)), 0);
    for (let n = 0; n < 3; n++) {
      const i = at + ((n * 7919 + 13) % length);
      const h = 2 ** -16;
      const moved = (by: number) => loss(base.map((x, j) => (j === i ? x + by : x)));
      const slope = (moved(h) - moved(-h)) / (2 * h);
      expect(Math.abs(slope - gradient[i])).toBeLessThan(1e-7 * most + 1e-10);
    }
  });
});

describe("fp32 by SIMD", () => {
  test("products have the bits of the sums in their order", async () => {
    const next = seeded(5);
    const shapes = [
      [1, 1, 8],
      [4, 32, 96],
      [7, 128, 32],
      [13, 5, 16],
    ];
    for (const [rows, sums, columns] of shapes) {
      for (const adds of [false, true]) {
        for (const turned of [false, true]) {
          const random = (array: ArrayLike<number>) => {
            for (let i = 0; i < array.length; i++)
              (array as Float32Array)[i] = (next(2 ** 24) - 2 ** 23) / 2 ** 18;
          };
          const sizes = [rows * columns, rows * sums, sums * columns];
          const simd = await simdFp32(sizes.reduce((sum, size) => sum + allocatedBytes(size), 0));
          const [c, a, b] = sizes.map((size) => simd.allocate(size));
          const [c2, a2, b2] = sizes.map((size) => plainFp32.allocate(size));
          for (const [x, y] of [
            [c, c2],
            [a, a2],
            [b, b2],
          ]) {
            random(x);
            y.set(x);
          }
          const [row, column] = turned ? [1, rows] : [sums, 1];
          simd.product(c, 0, columns, a, 0, row, column, b, 0, columns, rows, sums, columns, adds);
          plainFp32.product(c2, 0, columns, a2, 0, row, column, b2, 0, columns, rows, sums, columns, adds);
          expect([...c]).toEqual([...c2]);
        }
      }
    }
  });

  test("a pass forward and backward has the bits of the plain one", async () => {
    const prefixes = texts();
    const size = { rows: prefixes.count, trains: true };
    const [plain, simd] = [new Decoder(plainFp32, prefixes, size), await openDecoder(prefixes, size)];
    expect(simd.arithmetic.name).toMatch("SIMD");
    for (const decoder of [plain, simd]) {
      decoder.setWeights(base);
      decoder.forward(0, prefixes.count);
      for (let i = 0; i < prefixes.count * paddedVocabulary; i++) {
        decoder.dLogits[i] = i % paddedVocabulary < 13 ? Math.fround(decoder.logits[i] / 64) : 0;
      }
      decoder.backward();
    }
    expect([...simd.logits]).toEqual([...plain.logits]);
    expect([...simd.gradient]).toEqual([...plain.gradient]);
  });

  test("what keeps nothing of its rows computes the same logits", async () => {
    const prefixes = new Prefixes(400);
    for (let i = 0; i < 60; i++) prefixes.text([i % 10, i % 7, 10, i % 9, i % 8, 11]);
    const decoders = await Promise.all(
      [true, false].map((trains) => openDecoder(prefixes, { rows: prefixes.count, trains })),
    );
    for (const decoder of decoders) {
      decoder.setWeights(base);
      decoder.forward(0, prefixes.count);
    }
    expect([...decoders[1].logits]).toEqual([...decoders[0].logits]);
  });
});

describe("elementary functions", () => {
  test("exp is right to some 10^-15, and 0 far below", () => {
    for (let x = -600; x < 600; x += 0.37) expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(4e-15);
    expect([exp(0), exp(-1e9), exp(-Infinity)]).toEqual([1, 0, 0]);
    expect(exp(Number.NaN)).toBeNaN();
  });

  /** Simpson's rule over the density: a second way to the distribution function. */
  function normal(x: number): number {
    const n = 4000;
    const density = (t: number) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
    let sum = density(0) + density(x);
    for (let i = 1; i < n; i++) sum += (i % 2 === 1 ? 4 : 2) * density((i * x) / n);
    return 0.5 + (sum * x) / (3 * n);
  }

  test.each([
    ["fp64", geluFp64, 1e-14],
    ["fp32", geluFp32, 1e-8],
  ] as const)("gelu for %s, and its derivative", (_, gelu, tolerance) => {
    const x = Float64Array.from({ length: 301 }, (_, i) => (i - 150) / 16.03);
    const [y, slope] = [new Float64Array(x.length), new Float64Array(x.length)];
    gelu(x, y, slope, 0, x.length);
    for (const [i, at] of x.entries()) {
      const cdf = normal(at);
      const density = Math.exp((-at * at) / 2) / Math.sqrt(2 * Math.PI);
      expect(Math.abs(y[i] - at * cdf)).toBeLessThan(tolerance * Math.max(1, Math.abs(at)));
      expect(Math.abs(slope[i] - (cdf + at * density))).toBeLessThan(10 * tolerance);
    }
  });

  test("gelu of what is not in its tables", () => {
    const x = Float64Array.of(9, 40, Infinity, -9, -40, Number.NaN);
    const [y, slope] = [new Float64Array(6), new Float64Array(6)];
    geluFp64(x, y, slope, 0, 6);
    expect([...y.map((each) => each + 0)]).toEqual([9, 40, Infinity, 0, 0, Number.NaN]);
    expect([...slope.map((each) => each + 0)]).toEqual([1, 1, 1, 0, 0, Number.NaN]);
  });
});
