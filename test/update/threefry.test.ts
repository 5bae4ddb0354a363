import { describe, expect, it } from "vitest";
import { randomBits, stepKey, tensorKey, threefry2x32, type Words } from "../../src/update/threefry.js";

const hex = (words: Words) => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");

/** Threefry written a second time, from the paper's figure, on bigints. */
function bigThreefry([k0, k1]: Words, [c0, c1]: Words): string {
  const mod = 1n << 32n;
  const key = [BigInt(k0), BigInt(k1), 0x1bd11bdan ^ BigInt(k0) ^ BigInt(k1)];
  const rotation = [13n, 15n, 26n, 6n, 17n, 29n, 16n, 24n];
  let [x, y] = [(BigInt(c0) + key[0]) % mod, (BigInt(c1) + key[1]) % mod];
  for (let round = 0; round < 20; round++) {
    x = (x + y) % mod;
    const by = rotation[round % 8];
    y = (((y << by) | (y >> (32n - by))) % mod) ^ x;
    if (round % 4 === 3) {
      const injection = BigInt((round + 1) / 4);
      x = (x + key[Number(injection % 3n)]) % mod;
      y = (y + key[Number((injection + 1n) % 3n)] + injection) % mod;
    }
  }
  return hex([Number(x), Number(y)]);
}

describe("threefry2x32", () => {
  it("gives Random123's known answers (kat_vectors, threefry2x32 20)", () => {
    expect(hex(threefry2x32([0, 0], [0, 0]))).toBe("6b200159 99ba4efe");
    const ones = 0xffffffff;
    expect(hex(threefry2x32([ones, ones], [ones, ones]))).toBe("1cb996fc bb002be7");
    expect(hex(threefry2x32([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3]))).toBe("c4923a9c 483df7a0");
  });

  it("agrees with a second implementation", () => {
    let words: Words = [1, 2];
    for (let i = 0; i < 2000; i++) {
      const counter: Words = [i, words[1]];
      const next = threefry2x32(words, counter);
      expect(hex(next)).toBe(bigThreefry(words, counter));
      words = next;
    }
  });
});

describe("random bits of a run", () => {
  it("are a fixed function of seed, tensor, step, element and draw", () => {
    expect(tensorKey(3 * 2 ** 32 + 5, "")).toEqual([5, 3]);
    const key = stepKey(tensorKey(7, "layers.0.q_proj.weight"), 292);
    const named = [0, 1, 2, 2 ** 33, 2 ** 33 + 1].map((element) => randomBits(key, element, 0));
    // Computed with the second implementation above.
    const fold = (from: Words, data: number, domain: number) =>
      bigThreefry(from, [data, domain])
        .split(" ")
        .map((word) => Number.parseInt(word, 16)) as unknown as Words;
    let expected: Words = [7, 0];
    for (const letter of "layers.0.q_proj.weight") expected = fold(expected, letter.charCodeAt(0), 1);
    expected = fold(expected, 292, 2);
    const word = (counter: Words, index: 0 | 1) =>
      Number.parseInt(bigThreefry(expected, counter).split(" ")[index], 16);
    expect(named).toEqual([
      word([0, 0], 0),
      word([0, 0], 1),
      word([1, 0], 0),
      word([0, 1], 0),
      word([0, 1], 1),
    ]);
    expect(randomBits(key, 5, 3)).toBe(word([2, 3 * 2 ** 20], 1));
  });

  it("of steps beyond 32 bits are their own: the higher bits are added to the domain", () => {
    const key = tensorKey(7, "w");
    const words = (step: number) => stepKey(key, step);
    expect(hex(words(2 ** 32 + 5))).toBe(bigThreefry(key, [5, 3]));
    expect(hex(words(2 ** 53 - 1))).toBe(bigThreefry(key, [2 ** 32 - 1, 2 + 2 ** 21 - 1]));
    expect(hex(words(2 ** 32 - 1))).toBe(bigThreefry(key, [2 ** 32 - 1, 2]));
    const keys = [0, 1, 2, 3, 2 ** 10].map((high) => hex(words(high * 2 ** 32 + 5)));
    expect(new Set(keys).size).toBe(keys.length);
    for (const step of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => stepKey(key, step)).toThrow(RangeError);
  });

  it("differ in every argument, and are uniform in their mean", () => {
    const key = stepKey(tensorKey(0, "w"), 0);
    const others = [
      randomBits(stepKey(tensorKey(1, "w"), 0), 0, 0),
      randomBits(stepKey(tensorKey(2 ** 32, "w"), 0), 0, 0),
      randomBits(stepKey(tensorKey(0, "v"), 0), 0, 0),
      randomBits(stepKey(tensorKey(0, ""), 0), 0, 0),
      randomBits(stepKey(tensorKey(0, "w"), 1), 0, 0),
      randomBits(key, 0, 1),
      ...Array.from({ length: 1000 }, (_, element) => randomBits(key, element, 0)),
    ];
    expect(new Set(others).size).toBe(others.length);
    const n = 100_000;
    let mean = 0;
    for (let element = 0; element < n; element++) mean += randomBits(key, element, 0) / 2 ** 32 / n;
    // Five standard errors of a uniform mean; the bits are fixed, so this cannot flicker.
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
  });

  it("refuse seeds that are no integers from 0 to 2^53 - 1", () => {
    for (const seed of [-1, 0.5, 2 ** 53, Number.NaN]) expect(() => tensorKey(seed, "w")).toThrow(RangeError);
    expect(() => stepKey([0, 0], -1)).toThrow("step -1: expected an integer from 0 to 2^53 - 1");
  });
});
