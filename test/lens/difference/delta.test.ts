import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode } from "../../../src/format/encode.js";
import { format } from "../../../src/format/registry.js";
import {
  codesChanged,
  deltaStreams,
  numbersChanged,
  sampleChunk,
  sampleChunks,
  storedBytes,
} from "../../../src/lens/difference/delta.js";
import { codesOf } from "../../../src/lens/difference/difference-codes.js";
import { expectEqual, expectSame } from "../../support/mismatches.js";

describe("sampleChunks", () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 40 * sampleChunk }), { maxLength: 12 });

  test("are within their tensors, apart from each other, in order, and as many as asked for", () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 30 }), fc.nat(), (sizes, chunks, seed) => {
        const taken = sampleChunks(sizes, chunks, seed);
        for (const [i, { tensor, start, count }] of taken.entries()) {
          expectSame(start % sampleChunk, 0);
          expectSame(count, Math.min(sampleChunk, sizes[tensor] - start));
          if (count <= 0) expect(count).toBeGreaterThan(0);
          const next = taken[i + 1];
          if (next && !(next.tensor > tensor || (next.tensor === tensor && next.start > start))) {
            expect.fail(`${JSON.stringify(next)} after tensor ${tensor}, ${start}`);
          }
        }
        const total = sizes.reduce((sum, length) => sum + length, 0);
        const all = sizes.reduce((sum, length) => sum + Math.ceil(length / sampleChunk), 0);
        expect(taken).toHaveLength(total <= chunks * sampleChunk ? all : Math.min(chunks, all));
        expect(sampleChunks(sizes, chunks, seed)).toEqual(taken);
      }),
    );
  });

  test("as many strata as chunks: every chunk, though 15 / 22 * 22 is less than 15 in fp64", () => {
    const taken = sampleChunks([21 * sampleChunk + 1], 22, 901876827);
    expect(taken.map(({ start }) => start / sampleChunk)).toEqual(Array.from({ length: 22 }, (_, i) => i));
  });

  test("what fits into so many chunks is taken whole, though its tensors are more than these", () => {
    const half = sampleChunk / 2;
    const whole = (...lengths: number[]) => lengths.map((count, tensor) => ({ tensor, start: 0, count }));
    expect(sampleChunks([10, 20, 30], 1, 0)).toEqual(whole(10, 20, 30));
    expect(sampleChunks([half, half], 1, 0)).toEqual(whole(half, half));
    expect(sampleChunks([half, half + 1], 1, 0)).toHaveLength(1);
    expect(sampleChunks([0, 10, 0], 1, 0)).toEqual([{ tensor: 1, start: 0, count: 10 }]);
    expect(sampleChunks([], 1, 0)).toEqual([]);
  });

  test("a seed draws the same places in every release: by Numerical Recipes' generator", () => {
    // From 0 it goes to 1013904223, .236 of 2^32.
    expect(sampleChunks([1000 * sampleChunk], 1, 0)).toEqual([
      { tensor: 0, start: 236 * sampleChunk, count: sampleChunk },
    ]);
  });

  test("a tensor has its share by its size, at places that the seed draws", () => {
    const taken = sampleChunks([300 * sampleChunk, 100 * sampleChunk], 40, 1);
    expect(taken.filter(({ tensor }) => tensor === 0)).toHaveLength(30);
    expect(sampleChunks([300 * sampleChunk, 100 * sampleChunk], 40, 2)).not.toEqual(taken);
  });
});

describe("deltaStreams", () => {
  /** What a receiver makes of the streams and what it had. */
  function received(
    before: Float64Array,
    gapValue: Uint8Array,
    width: number,
    changed: number,
  ): Map<number, string> {
    const values = gapValue.subarray(gapValue.length - changed * width);
    const sent = new Map<number, string>();
    let at = 0;
    let index = -1;
    for (let n = 0; n < changed; n++) {
      let gap = 0;
      for (let shift = 1; ; shift *= 128) {
        const byte = gapValue[at++];
        gap += (byte % 128) * shift;
        if (byte < 128) break;
      }
      index += gap + 1;
      sent.set(index, values.subarray(n * width, (n + 1) * width).join());
    }
    expect(at).toBe(gapValue.length - changed * width);
    expect(index).toBeLessThan(before.length);
    return sent;
  }

  test.each(["bf16", "fp32", "e4m3fn", "fp64"])("hold what changed and no more, in %s", (name) => {
    const compared = name === "fp64" ? name : format(name);
    const before = Float64Array.from({ length: 1000 }, (_, i) => (i % 5) - 2);
    const after = before.map((x, i) => (i === 3 || i === 200 || i > 990 ? x + 1 : x));
    after[500] = -0;
    before[500] = 0;
    const full = storedBytes(after, compared);
    const streams = deltaStreams(1000, numbersChanged(before, after), full);
    if (compared !== "fp64") {
      const codes = (numbers: Float64Array) => codesOf(storedBytes(numbers, compared), compared.bits);
      const byCodes = codesChanged(codes(before), codes(after));
      expect(deltaStreams(1000, byCodes, full)).toEqual(streams);
    }
    const width = full.length / 1000;
    // -0 has bytes of its own.
    const expected = [...after.keys()].filter((i) => !Object.is(after[i], before[i]));
    expect(streams.changed).toBe(expected.length);
    expect(received(before, streams.gapValue, width, streams.changed)).toEqual(
      new Map(expected.map((i) => [i, full.subarray(i * width, (i + 1) * width).join()])),
    );
    const mask = streams.maskValue.subarray(0, 125);
    expect([...after.keys()].filter((i) => (mask[i >> 3] >> (i & 7)) & 1)).toEqual(expected);
    expect(streams.maskValue).toHaveLength(125 + expected.length * width);
  });

  test("tell gaps in base 128, lowest first, all but the last byte with the upper bit", () => {
    const gapsOf = (...changed: number[]) => {
      const { gapValue } = deltaStreams(40_000, Uint32Array.from(changed), new Uint8Array(40_000));
      return [...gapValue.subarray(0, gapValue.length - changed.length)];
    };
    expect(gapsOf(0, 1)).toEqual([0, 0]);
    expect(gapsOf(127)).toEqual([127]);
    expect(gapsOf(128)).toEqual([128, 1]);
    expect(gapsOf(0, 130, 259)).toEqual([0, 129, 1, 128, 1]);
    expect(gapsOf(128 * 128)).toEqual([128, 128, 1]);
    expect(gapsOf()).toEqual([]);
  });

  test("a format without NaN sends zero for it", () => {
    const numbers = Float64Array.of(Number.NaN, 6, -0.5);
    expect([...storedBytes(numbers, format("e2m1fn"))]).toEqual([0, 7, 9]);
    expect([...storedBytes(numbers, format("e4m3fn"))]).toEqual([0x7f, 0x4c, 0xb0]);
  });

  test("NaN is like NaN", () => {
    const numbers = Float64Array.of(NaN, 1, NaN);
    const others = Float64Array.of(NaN, NaN, 1);
    expect(deltaStreams(3, numbersChanged(numbers, others), new Uint8Array(3)).changed).toBe(2);
    // By codes two of NaN are two, and so are two of zero.
    const [before, after] = [Uint16Array.of(0x7fc0, 0x7f81, 0, 0), Uint16Array.of(0x7fc1, 0x3f80, 0x8000, 1)];
    expect([...codesChanged(before, after)]).toEqual([0, 1, 2, 3]);
  });

  test.each(["e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz"])("every pair of codes of %s", (name) => {
    const resolved = format(name);
    const codes = Uint8Array.from({ length: 256 }, (_, code) => code);
    const numbers = Float64Array.from(codes, (code) => decode(code, resolved));
    for (const from of codes) {
      const others = codes.filter((code) => code !== from);
      expectEqual([...codesChanged(new Uint8Array(256).fill(from), codes)], [...others], `from ${from}`);
      // By numbers one NaN is like another.
      const apart = others.filter((code) => !Number.isNaN(numbers[from]) || !Number.isNaN(numbers[code]));
      const byNumbers = numbersChanged(new Float64Array(256).fill(numbers[from]), numbers);
      expectEqual([...byNumbers], [...apart], `from ${from}`);
    }
  });
});
