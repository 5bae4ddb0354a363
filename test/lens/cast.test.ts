import { describe, expect, it } from "vitest";
import { blockFormat } from "../../src/format/block/block-format.js";
import { format, formats } from "../../src/format/registry.js";
import { round } from "../../src/format/round.js";
import { blockFormatsOf, CastTally, castsWithoutScale, usuallyScaled } from "../../src/lens/cast.js";
import { mergeResults } from "../../src/lens/run/merge.js";
import type { Result } from "../../src/lens/run/result.js";
import { random32 } from "../support/bits.js";
import { caseOf, renamed, resultOf } from "../support/results.js";

const values = (numbers: ArrayLike<number>) => ({
  length: numbers.length,
  read: async (start: number, into: Float32Array | Float64Array) => {
    for (let i = 0; i < into.length; i++) into[i] = numbers[start + i];
  },
});

describe("weights in a format without scales", () => {
  it("by hand: e4m3fn has normal numbers from 2^-6 and its smallest is 2^-9", () => {
    const above = 2 ** -10 * (1 + 2 ** -20);
    const weights = [0, -0, 2 ** -10, -above, 2 ** -6 - 2 ** -30, -(2 ** -6), 1, 500, Number.NaN, -Infinity];
    expect(CastTally.of(Float64Array.from(weights), format("e4m3fn")).summary()).toEqual({
      format: "e4m3fn",
      minNormal: 2 ** -6,
      elements: 8,
      belowNormal: 5,
      zero: 3,
    });
  });

  it("what is zero is what rounding makes zero, in every such format", () => {
    const random = random32(3);
    const narrow = [...formats.values()].filter(usuallyScaled);
    expect(narrow.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["e5m2", "e4m3fn", "e3m2fn", "e2m1fn"]),
    );
    for (const storageFormat of narrow) {
      // Multiples of a quarter of the smallest number, ties among them, and their neighbours.
      const weights = Float64Array.from({ length: 400 }, () => {
        const quarter = ((random() % 40) - 20) * (storageFormat.minPositive / 4);
        return quarter * (1 + ((random() % 3) - 1) * 2 ** -40);
      });
      const zero = weights.filter((weight) => round(weight, storageFormat) === 0).length;
      const belowNormal = weights.filter((weight) => Math.abs(weight) < storageFormat.minNormal).length;
      expect(CastTally.of(weights, storageFormat).summary()).toMatchObject({
        elements: 400,
        belowNormal,
        zero,
      });
    }
  });

  it("is told of formats of at most 8 bits, each once, over all tensors in pieces", async () => {
    const long = Float64Array.from({ length: 2 ** 16 + 3 }, (_, i) => (i >= 2 ** 16 ? 2 ** -7 : 1));
    const casts = await castsWithoutScale(
      [{ weights: values(long) }, { weights: values([2 ** -12]) }],
      ["bf16", "e4m3fn", "fp16", "e4m3fn", "e2m1fn"].map((name) => format(name)),
    );
    expect(casts).toEqual([
      { format: "e4m3fn", minNormal: 2 ** -6, elements: 2 ** 16 + 4, belowNormal: 4, zero: 1 },
      { format: "e2m1fn", minNormal: 1, elements: 2 ** 16 + 4, belowNormal: 4, zero: 4 },
    ]);
    expect(await castsWithoutScale([{ weights: values([1]) }], [format("bf16")])).toEqual([]);
  });

  it("names the block formats of the elements that people use", () => {
    const used = [
      ["e4m3fn", "mxfp8-e4m3", "fp8-128x128"],
      ["e5m2", "mxfp8-e5m2"],
      ["e3m2fn", "mxfp6-e3m2"],
      ["e2m3fn", "mxfp6-e2m3"],
      ["e2m1fn", "mxfp4", "nvfp4"],
    ];
    for (const [element, ...names] of used) {
      expect(blockFormatsOf(element)).toEqual(names);
      for (const name of names) expect(blockFormat(name).element.name).toBe(element);
    }
    // No block format has elements of one zero only; those of the same widths stand in.
    expect(blockFormatsOf("e4m3fnuz")).toEqual(["mxfp8-e4m3", "fp8-128x128"]);
    expect(blockFormatsOf("e5m2fnuz")).toEqual(["mxfp8-e5m2"]);
    expect(blockFormatsOf("e3m4")).toEqual([]);
    expect(blockFormatsOf("bf16")).toEqual([]);
  });

  it("reads every weight once, from where a piece starts, and none without such a format", async () => {
    const read = async (length: number, start?: number, formatName = "e4m3fn") => {
      const ranges: [number, number][] = [];
      const weights = {
        length,
        read: async (from: number, into: Float32Array | Float64Array) => {
          ranges.push([from, from + into.length]);
          into.fill(1);
        },
      };
      const tensor = { weights, ...(start !== undefined && { start }) };
      const [cast] = await castsWithoutScale([tensor], [format(formatName)]);
      return { ranges, elements: cast?.elements };
    };
    const most = 2 ** 16;
    expect(await read(5)).toEqual({ ranges: [[0, 5]], elements: 5 });
    expect(await read(most)).toEqual({ ranges: [[0, most]], elements: most });
    expect(await read(most + 3, 4096)).toEqual({ ranges: [[4096, most + 3]], elements: most - 4093 });
    expect(await read(2 * most + 1)).toEqual({
      ranges: [
        [0, most],
        [most, 2 * most],
        [2 * most, 2 * most + 1],
      ],
      elements: 2 * most + 1,
    });
    expect(await read(0)).toEqual({ ranges: [], elements: 0 });
    expect(await read(5, 0, "bf16")).toEqual({ ranges: [], elements: undefined });
  });
});

describe("results of shards", () => {
  const cast = { format: "e4m3fn", minNormal: 2 ** -6, elements: 10, belowNormal: 4, zero: 1 };

  it("are added up, as far as all of them know", async () => {
    const shard = async (name: string, casts?: Result["casts"]) =>
      resultOf([renamed(await caseOf([1], [0.5]), name)], casts && { casts });
    const both = mergeResults([await shard("a", [cast]), await shard("b", [{ ...cast, zero: 4 }])]);
    expect(both.casts).toEqual([{ ...cast, elements: 20, belowNormal: 8, zero: 5 }]);
    expect(mergeResults([await shard("a", [cast]), await shard("b")])).not.toHaveProperty("casts");
  });
});
