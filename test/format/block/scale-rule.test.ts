import { describe, expect, it } from "vitest";
import { blockFormat } from "../../../src/format/block/block-format.js";
import { dequantizeBlock, quantizeBlock } from "../../../src/format/block/quantize-block.js";
import { encode } from "../../../src/format/encode.js";
import { e8m0fnu, format } from "../../../src/format/registry.js";
import { smallFormats, valueTable } from "../../support/oracle-formats.js";

/** Largest element and stored significand bits, from OCP MX 1.0 and OFP8 1.0. */
const elements = {
  "mxfp8-e4m3": { largest: 448, stored: 3 },
  "mxfp8-e5m2": { largest: 57344, stored: 2 },
  "mxfp6-e2m3": { largest: 7.5, stored: 3 },
  "mxfp6-e3m2": { largest: 28, stored: 2 },
  mxfp4: { largest: 6, stored: 1 },
} as const;

/** Powers of two that a scale can be. */
const scales = Array.from({ length: 255 }, (_, i) => 2 ** (i - 127));

/** log2 by search, which no rounding of a logarithm can upset. */
const floorPower = (x: number) => scales.findLast((power) => power <= x)!;

/** A positive number with `bits` significand bits, ties away from zero, by decimal arithmetic on integers. */
function roundedTo(x: number, bits: number): number {
  const unit = floorPower(x) / 2 ** (bits - 1);
  return Math.floor(x / unit + 0.5) * unit;
}

/** The rules a second time, each by what it is for and not by comparing significands. */
const oracles = {
  // The largest power of two in the block becomes the largest one of the elements.
  floor: (amax: number, largest: number) => floorPower(amax) / floorPower(largest),
  // The smallest scale under which the block is within the largest power of two of the elements.
  ceil: (amax: number, largest: number) => scales.find((s) => amax <= s * floorPower(largest))!,
  // The smallest scale under which nothing is clipped.
  rceil: (amax: number, largest: number) => scales.find((s) => amax <= s * largest)!,
  // As floor, after rounding to the significand of the elements.
  even: (amax: number, largest: number, stored: number) =>
    floorPower(roundedTo(amax, stored + 1)) / floorPower(largest),
  "compressed-tensors": (amax: number, largest: number) =>
    floorPower(roundedTo(amax, 2)) / floorPower(largest),
} as const;

const fp32Neighbours = (m: number) => [m - 2 ** (m > 1 ? -23 : -24), m, m + 2 ** -23];

describe.each(Object.entries(elements))("%s", (name, { largest, stored }) => {
  const significands = [1, largest / floorPower(largest), 1.5, 1.75, 1.875, 1.9375, 2 - 2 ** -23].flatMap(
    fp32Neighbours,
  );

  it.each(Object.entries(oracles))("%s: every boundary, and the fp32 numbers beside it", (rule, oracle) => {
    const record = blockFormat(`${name}:${rule}`);
    for (const exponent of [-60, -8, 0, 5, 60]) {
      for (const m of significands) {
        const amax = m * 2 ** exponent;
        const { scale } = quantizeBlock([amax / 4, -amax, 0], record);
        expect([amax, scale]).toEqual([amax, oracle(amax, largest, stored)]);
      }
    }
  });

  it("elements: the nearest number of the format, ties to the even code, the largest beyond it", () => {
    const { element } = blockFormat(name);
    const { values } = valueTable(smallFormats.find((oracle) => oracle.name === element.name)!);
    const finite = [...values].filter((x) => x <= largest);
    for (const [i, low] of finite.entries()) {
      const high = finite[i + 1] ?? Infinity;
      const middle = (low + high) / 2;
      const rceil = blockFormat(`${name}:rceil`);
      const codesOf = (x: number) => quantizeBlock([largest, x, -x], rceil).codes;
      const [, positive, negative] = codesOf(low);
      expect(positive).toBe(i);
      expect(negative).toBe(i + 2 ** (element.bits - 1));
      if (high === Infinity) continue;
      expect(codesOf(middle)[1]).toBe(i % 2 === 0 ? i : i + 1);
      expect(codesOf(Math.fround(middle * (1 - 2 ** -23)))[1]).toBe(i);
      expect(codesOf(Math.fround(middle * (1 + 2 ** -22)))[1]).toBe(i + 1);
    }
    expect(quantizeBlock([largest * 1.999], blockFormat(`${name}:floor`)).codes).toEqual([finite.length - 1]);
  });

  it("zeros, subnormal blocks, NaN and Inf", () => {
    const record = blockFormat(name);
    expect(quantizeBlock([0, -0], record)).toEqual({
      codes: [0, 2 ** (record.element.bits - 1)],
      scale: 2 ** -127,
    });
    expect(quantizeBlock([2 ** -149], record).scale).toBe(2 ** -127);
    expect(encode(quantizeBlock([2 ** -149], record).scale, e8m0fnu)).toBe(0);
    for (const x of [NaN, Infinity, -Infinity]) {
      const block = quantizeBlock([1, x], record);
      expect(block).toEqual({ codes: [0, 0], scale: NaN });
      expect(encode(block.scale, e8m0fnu)).toBe(255);
      expect(dequantizeBlock(block, record)).toEqual([NaN, NaN]);
    }
  });

  it("one-hot and constant blocks", () => {
    const record = blockFormat(name);
    const oneHot = Array.from({ length: 32 }, (_, i) => (i === 7 ? largest : 0));
    expect(dequantizeBlock(quantizeBlock(oneHot, record), record)).toEqual(oneHot);
    const constant = Array(32).fill(0.75);
    expect(dequantizeBlock(quantizeBlock(constant, record), record)).toEqual(constant);
  });
});

describe("fp8-128x128", () => {
  const fl = Math.fround;

  it("the largest magnitude over 448, and what the elements are divided by", () => {
    const record = blockFormat("fp8-128x128");
    expect(quantizeBlock([1, -3], record).scale).toBe(fl(3 / 448));
    expect(quantizeBlock([0, 0], record).scale).toBe(1);
    expect(quantizeBlock([-3], record).codes).toEqual([0xfe]);
    expect(quantizeBlock([1, NaN], record)).toEqual({ codes: [0, 0], scale: NaN });
  });

  it.each([447.99997, 448, 448.00003, 1, 300])(
    "power-of-two: the smallest that is at least %d / 448",
    (amax) => {
      const { scale } = quantizeBlock([fl(amax)], blockFormat("fp8-128x128:power-of-two"));
      expect(scale).toBe(scales.find((power) => power * 448 >= fl(amax)));
    },
  );
});

describe("nvfp4", () => {
  it("torchao: the scale of a block is at least 2^-6, and that of zeros 1", () => {
    const record = blockFormat("nvfp4");
    const tensorScale = record.rule.tensorScale!(2688, record);
    expect(tensorScale).toEqual({ stored: 1, reciprocal: 1 });
    expect(quantizeBlock([2688], record, tensorScale)).toEqual({ codes: [7], scale: 448 });
    expect(quantizeBlock([2 ** -20], record, tensorScale)).toEqual({ codes: [0], scale: 2 ** -6 });
    expect(record.rule.tensorScale!(0, record).stored).toBe(1);
  });

  it("transformer-engine: a block of zeros has the scale zero, and no NaN", () => {
    const record = blockFormat("nvfp4:transformer-engine");
    const tensorScale = record.rule.tensorScale!(2688, record);
    expect(quantizeBlock([0, -0], record, tensorScale)).toEqual({ codes: [0, 8], scale: 0 });
    expect(quantizeBlock([2688], record, tensorScale)).toEqual({ codes: [7], scale: 448 });
  });

  it("transformer-engine: the tensor scale of zeros is 1; its reciprocal is at most the largest fp32 number", () => {
    const record = blockFormat("nvfp4:transformer-engine");
    expect(record.rule.tensorScale!(0, record)).toEqual({ stored: 1, reciprocal: 1 });
    // 2688 / 2^-140 is beyond fp32.
    expect(record.rule.tensorScale!(2 ** -140, record)).toEqual({
      stored: 2 ** -128,
      reciprocal: 3.4028234663852886e38,
    });
  });

  it.each(["nvfp4", "nvfp4:transformer-engine"])("%s: a block scale is at most 448", (name) => {
    // 10,000 / 6 is beyond it under a tensor scale of 1: the elements are clipped to 6 x 448.
    const block = quantizeBlock([10_000, -2688], blockFormat(name), { stored: 1, reciprocal: 1 });
    expect(block).toEqual({ codes: [7, 15], scale: 448 });
  });
});

it("NaN in a tensor of elements without NaN is the code 0", () => {
  const record = blockFormat("nvfp4");
  expect(quantizeBlock([NaN, 1], record, { stored: 1, reciprocal: 1 }).codes).toEqual([0, 0]);
  expect(format("e2m1fn").hasNaN).toBe(false);
});
