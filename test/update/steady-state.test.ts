import { beforeAll, describe, expect, it } from "vitest";
import { type Distribution, drawFrom, gaussian } from "../../src/update/distribution.js";
import { longestMomentum, steadyStateUpdates } from "../../src/update/steady-state.js";
import { threefry2x32 } from "../../src/update/threefry.js";
import { expectEqual } from "../support/mismatches.js";
import { gaussian as boxMuller } from "../support/values.js";

/** m / sqrt(v) of an Adam that has settled, by a loop of its own on normal numbers of its own. */
function longRun(b1: number, b2: number, chains: number, samples: number, stride: number): number[] {
  const normal = boxMuller(99);
  const settled = Math.ceil(5 / (1 - b2));
  const taken: number[] = [];
  for (let chain = 0; chain < chains; chain++) {
    let [m, v] = [0, 1];
    for (let t = 1; t <= settled + stride * samples; t++) {
      const g = normal();
      m += (1 - b1) * (g - m);
      v += (1 - b2) * (g * g - v);
      if (t > settled && (t - settled) % stride === 0) taken.push(m / Math.sqrt(v));
    }
  }
  return taken;
}

/** The largest difference of two distribution functions, of samples in ascending order. */
function kolmogorov(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [i, j, most] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] <= b[j]) i++;
    else j++;
    most = Math.max(most, Math.abs(i / a.length - j / b.length));
  }
  return most;
}

describe.each([
  [0.9, 0.999, 3e-6],
  [0.8, 0.95, 1],
] as const)("steadyStateUpdates for betas %s and %s", (b1, b2, lr) => {
  let table: Float32Array;
  let samples: Float64Array;
  // Not here, where an error would be of no test.
  beforeAll(() => {
    table = steadyStateUpdates(lr, [b1, b2], gaussian);
    samples = Float64Array.from(longRun(b1, b2, 500, 40, 40)).sort();
  });

  it("is ascending and symmetric, of 2^k fp32 numbers", () => {
    expect(table).toHaveLength(2 ** 14);
    expect(table).toBeInstanceOf(Float32Array);
    for (let i = 0; i < table.length; i++) {
      expect(table[table.length - 1 - i]).toBe(-table[i]);
      if (i > 0 && table[i] < table[i - 1]) expect.fail(`entry ${i} is below the one before`);
    }
    expect(table[2 ** 13]).toBeGreaterThan(0);
  });

  it("never exceeds what Adam can do", () => {
    // Cauchy and Schwarz: |m| <= sqrt(v) (1 - b1) / sqrt((1 - b2) (1 - b1^2 / b2)).
    const bound = (1 - b1) / Math.sqrt((1 - b2) * (1 - b1 ** 2 / b2));
    expect(table[table.length - 1]).toBeLessThan(lr * bound);
  });

  it("has the mean magnitude that an Adam has", () => {
    const mean = table.reduce((sum, u) => sum + Math.abs(u) / lr / table.length, 0);
    if (b2 === 0.999) expect(Math.abs(mean - 0.183)).toBeLessThan(0.0005);
    const sampled = samples.reduce((sum, u) => sum + Math.abs(u) / samples.length, 0);
    const variance = samples.reduce((sum, u) => sum + (Math.abs(u) - sampled) ** 2 / samples.length, 0);
    expect(Math.abs(mean - sampled)).toBeLessThan(3 * Math.sqrt(variance / samples.length));
  });

  it("is as far from a long run as samples of its size are", () => {
    // Kolmogorov's distance is above 1.63 / sqrt(n) once in a hundred samples.
    const distance = kolmogorov(
      samples,
      Float64Array.from(table, (u) => u / lr),
    );
    expect(distance).toBeLessThan(1.63 / Math.sqrt(samples.length));
  });
});

/** The standard normal distribution, and how often it was drawn from. */
function counting(): Distribution & { readonly draws: number } {
  let draws = 0;
  return {
    name: "counting",
    get knots() {
      draws += 1;
      return gaussian.knots;
    },
    get draws() {
      return draws;
    },
  };
}

describe("a memory longer than any run", () => {
  it.each([0.999_999_9, 1 - 2 ** -40])("of v, b2 %d, ends as soon as any other", (b2) => {
    const noise = counting();
    const table = steadyStateUpdates(1, [0.9, b2], noise);
    expect(noise.draws).toBeLessThan(2 ** 23);
    // v is 1: m is a sum of normal numbers, of variance (1 - b1) / (1 + b1).
    const normal = boxMuller(7);
    const sample = Float64Array.from({ length: 20_000 }, () => normal() * Math.sqrt(0.1 / 1.9)).sort();
    expect(kolmogorov(sample, table)).toBeLessThan(1.63 / Math.sqrt(sample.length));
  });
});

it("is sampled once for all learning rates, with a momentum of up to .999", () => {
  const noise = counting();
  const table = steadyStateUpdates(1, [longestMomentum, 0.9999], noise);
  const { draws } = noise;
  expect(draws).toBeGreaterThan(0);
  expect(steadyStateUpdates(0.5, [longestMomentum, 0.9999], noise)).toEqual(table.map((u) => u / 2));
  expect(noise.draws).toBe(draws);
});

/**
 * The table written a second time: 8 chains, each of Marsaglia's xor128 seeded by Threefry, 2^15 samples of each, one
 * in 16 steps, after 5 / (1 - b2) steps; then the means of 32 neighbours in size.
 */
function tableByHand(b1: number, b2: number): Float32Array {
  const samples: number[] = [];
  for (let chain = 0; chain < 8; chain++) {
    const state = Int32Array.of(...threefry2x32([chain, 0], [0, 0]), 0x1f123bb5, 0x159a55e5);
    let [m, v, at] = [0, 1, 0];
    for (let t = 1 - Math.ceil(5 / (1 - b2)); t <= 2 ** 19; t++) {
      // The oldest of the last four words, x, gives way to the next; the one before it is w.
      const [x, w] = [state[at], state[(at + 3) % 4]];
      const mixed = x ^ (x << 11);
      state[at] = w ^ (w >>> 19) ^ mixed ^ (mixed >>> 8);
      const g = drawFrom(gaussian, state[at]);
      at = (at + 1) % 4;
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      if (t > 0 && t % 16 === 0) samples.push(Math.abs(m) / Math.sqrt(v));
    }
  }
  const sorted = Float64Array.from(samples).sort();
  const positive = Float32Array.from(
    { length: 2 ** 13 },
    (_, i) => sorted.subarray(32 * i, 32 * i + 32).reduce((sum, x) => sum + x, 0) / 32,
  );
  return Float32Array.of(...positive.map((u) => -u).reverse(), ...positive);
}

it("has the bits of a second derivation", () => {
  expectEqual(steadyStateUpdates(1, [0.8, 0.95], gaussian), tableByHand(0.8, 0.95));
});

it("a momentum above .999 is refused, before anything is drawn", () => {
  const noise = counting();
  for (const b1 of [0.9995, 1, Number.NaN]) {
    expect(() => steadyStateUpdates(1, [b1, 0.9999], noise)).toThrow(
      new RangeError("settled updates need b1 of at most 0.999"),
    );
  }
  expect(noise.draws).toBe(0);
});
