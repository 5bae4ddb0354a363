import { describe, expect, it } from "vitest";
import { blockFormat } from "../../../src/format/block/block-format.js";
import { blocksOf, dequantize, quantize } from "../../../src/format/block/quantize.js";
import { format } from "../../../src/format/registry.js";
import { round } from "../../../src/format/round.js";

const ramp = (length: number) => Float32Array.from({ length }, (_, i) => (i % 2 === 0 ? 1 : -1) * (i + 1));

describe("blocks", () => {
  it("run along rows, and the last of a row may be shorter", () => {
    const { codes, scales } = quantize(ramp(2 * 37), [2, 37], "mxfp8-e4m3");
    expect(codes.length).toBe(74);
    // 32, 37, 69, 74 lead the four blocks: 2^5, 2^5, 2^6, 2^6 over 2^8.
    expect([...scales]).toEqual([127 - 3, 127 - 3, 127 - 2, 127 - 2]);
  });

  it("of 128 x 128 are cut at both edges, and every element is in one", () => {
    const blocks = [...blocksOf([3, 130, 200], blockFormat("fp8-128x128"))];
    expect(blocks.map((indices) => indices.length)).toEqual(
      [1, 2, 3].flatMap(() => [128 * 128, 128 * 72, 2 * 128, 2 * 72]),
    );
    expect(blocks.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 3 * 130 * 200 }, (_, i) => i));
    expect(blocks[0]!.slice(126, 130)).toEqual([126, 127, 200, 201]);
  });

  it("a vector is one row, a number one block, a tensor without elements has none", () => {
    expect(quantize(ramp(33), [33], "mxfp4").scales.length).toBe(2);
    expect(quantize(ramp(1), [], "mxfp4").scales.length).toBe(1);
    const empty = quantize(new Float32Array(0), [4, 0], "nvfp4");
    expect([empty.codes.length, empty.scales.length]).toEqual([0, 0]);
    expect(dequantize(empty).length).toBe(0);
  });
});

describe("options", () => {
  const data = ramp(64);

  it("a format by its record or its name", () => {
    expect(quantize(data, [64], blockFormat("mxfp4:rceil"))).toEqual(quantize(data, [64], "mxfp4:rceil"));
    const other = quantize(data, [64], blockFormat("mxfp4:rceil"), { scaleRule: "floor" });
    expect(other).toEqual(quantize(data, [64], "mxfp4"));
  });

  it("a rule, or whose variant", () => {
    const [ceil, engine] = [
      quantize(data, [64], "mxfp4", { scaleRule: "ceil" }),
      quantize(data, [64], "nvfp4", { variant: "transformer-engine" }),
    ];
    expect(ceil).toEqual(quantize(data, [64], "mxfp4:ceil"));
    expect(engine).toEqual(quantize(data, [64], "nvfp4:transformer-engine"));
    expect(() => quantize(data, [64], "mxfp4", { scaleRule: "torchao" })).toThrow(
      'unknown scale rule "torchao"',
    );
  });

  it("a scale of the tensor, where there is one", () => {
    expect(quantize(data, [64], "nvfp4").tensorScale).toBe(Math.fround(64 / 2688));
    const given = quantize(data, [64], "nvfp4", { tensorScale: 1 });
    expect(given.tensorScale).toBe(1);
    // 16 / 6 and so on, to the nearest of e4m3fn.
    expect([...given.scales].map((code) => code)).toEqual(
      [16, 32, 48, 64].map((amax) => {
        const numbers = [2, 2.25, 2.5, 2.75, 3, 3.25, 5, 5.5, 8, 9, 10, 11, 12];
        const nearest = numbers.reduce((a, b) => (Math.abs(b - amax / 6) < Math.abs(a - amax / 6) ? b : a));
        const exponent = Math.floor(Math.log2(nearest));
        return (exponent + 7) * 8 + (nearest / 2 ** exponent - 1) * 8;
      }),
    );
    expect(() => quantize(data, [64], "mxfp4", { tensorScale: 1 })).toThrow(
      "mxfp4 has no scale of the tensor",
    );
    for (const tensorScale of [0, -1, NaN, Infinity, 1e-60])
      expect(() => quantize(data, [64], "nvfp4", { tensorScale })).toThrow("expected a positive fp32 number");
  });

  it("the shape is that of the data", () => {
    for (const shape of [[63], [8, 9]])
      expect(() => quantize(data, shape, "mxfp4")).toThrow(`a tensor of shape [${shape}]`);
    for (const shape of [[-8, -8], [64.5]])
      expect(() => quantize(data, shape, "mxfp4")).toThrow(
        new RangeError(`shape: expected whole numbers of at least 0, found [${shape}]`),
      );
    const { codes, scales, ...rest } = quantize(data, [64], "mxfp4");
    expect(() => dequantize({ ...rest, codes, scales: scales.slice(1) })).toThrow("expected 2 scales");
    expect(() => dequantize({ ...rest, codes: codes.slice(1), scales })).toThrow("has 64 elements, found 63");
    expect(() => dequantize({ ...rest, codes: codes.map(() => 16), scales })).toThrow(
      "16 is not a code of e2m1fn",
    );
  });
});

describe("stochastic rounding of elements", () => {
  it("k bits are the leading ones: x goes up for floor(2^k r) of the 2^k draws", () => {
    // Beside an element of 4 (scale 1), 2.3 lies .3 of a gap above 2.
    for (const bits of [1, 4, 7]) {
      const ups = Array.from({ length: 2 ** bits }, (_, draw) => {
        const { codes } = quantize(Float32Array.of(4, 2.3), [2], "mxfp4", {
          rounding: "stochastic",
          randomBits: () => draw * 2 ** (32 - bits),
        });
        return codes[1] === 5;
      }).filter((up) => up).length;
      expect(ups).toBe(Math.floor(Math.fround(2.3 - 2) * 2 ** bits));
    }
  });

  it("asks for the bits of the element, wherever its block lies", () => {
    const asked: number[] = [];
    const randomBits = (i: number) => asked.push(i);
    quantize(ramp(6), [2, 3], "fp8-128x128", { rounding: "stochastic", randomBits });
    expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
    // Beside an element of 4 (scale 1), 2.5 is half way from 2, code 4, to 3, code 5.
    const twoBlocks = Float32Array.from({ length: 64 }, (_, i) => (i % 32 === 0 ? 4 : 2.5));
    const { codes } = quantize(twoBlocks, [2, 32], "mxfp4", {
      rounding: "stochastic",
      randomBits: (i) => (i === 40 ? 2 ** 32 - 1 : 0),
    });
    expect([...codes.entries()].filter(([, code]) => code === 5)).toEqual([[40, 5]]);
    expect(() => quantize(ramp(6), [6], "mxfp4", { rounding: "stochastic" })).toThrow("needs randomBits");
  });
});

it("a matrix and its transpose have the same numbers in 16 x 16 blocks", () => {
  const [rows, columns] = [32, 48];
  const data = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * i) * 2 ** ((i * 7) % 9));
  const transpose = (numbers: Float32Array, height: number, width: number) =>
    Float32Array.from(numbers, (_, i) => numbers[(i % height) * width + Math.floor(i / height)]!);
  const there = dequantize(quantize(data, [rows, columns], "nvfp4-16x16"));
  const back = dequantize(quantize(transpose(data, rows, columns), [columns, rows], "nvfp4-16x16"));
  expect(transpose(back, columns, rows)).toEqual(there);
});

it("of plain formats, blocks under a scale of 1 are roundings", () => {
  const data = ramp(7);
  expect([...dequantize(quantize(data, [7], "mxfp8-e5m2:ceil"))]).toEqual(
    // 7 in e5m2, whose scale is 2^(3 - 15): a power of two changes no rounding of normal numbers.
    [...data].map((x) => round(x, format("e5m2"))),
  );
});
