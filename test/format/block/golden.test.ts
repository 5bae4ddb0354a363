import { describe, expect, it } from "vitest";
import { dequantize, quantize } from "../../../src/format/block/quantize.js";
import { Mismatches } from "../../support/mismatches.js";
import { readGolden } from "../../support/safetensors.js";

const mx = {
  e4m3fn: "mxfp8-e4m3",
  e5m2: "mxfp8-e5m2",
  e2m3fn: "mxfp6-e2m3",
  e3m2fn: "mxfp6-e3m2",
  e2m1fn: "mxfp4",
};

const files: readonly (readonly [file: string, format: string])[] = [
  ...Object.entries(mx).flatMap(([element, name]) =>
    ["floor", "ceil", "rceil", "even"].map((rule) => [`mx-${element}-${rule}`, `${name}:${rule}`] as const),
  ),
  ["nvfp4-torchao", "nvfp4:torchao"],
  ["nvfp4-transformer-engine", "nvfp4:transformer-engine"],
  ["fp8-128x128", "fp8-128x128"],
  ["fp8-128x128-pow2", "fp8-128x128:power-of-two"],
];

describe.each(files)("golden vectors %s", (file, format) => {
  const golden = readGolden(`blocks/${file}.safetensors`);
  const input = golden.float32("input");
  const quantized = quantize(input, golden.shape("input"), format);

  it("scales", () => {
    const { scales, tensorScale } = quantized;
    const expected = scales instanceof Float32Array ? golden.float32("scales") : golden.bytes("scales");
    const wrong = new Mismatches();
    expect(scales.length).toBe(expected.length);
    for (let i = 0; i < scales.length; i++) wrong.compare(scales[i]!, expected[i]!, () => `scale ${i}`);
    wrong.expectNone();
    if (golden.names.includes("tensor_scale")) expect(tensorScale).toBe(golden.float32("tensor_scale")[0]);
    else expect(tensorScale).toBeNull();
  });

  it("codes", () => {
    const expected = golden.bytes("codes");
    const wrong = new Mismatches();
    for (let i = 0; i < expected.length; i++) {
      wrong.compare(quantized.codes[i]!, expected[i]!, () => `code of ${input[i]} at ${i}`);
    }
    wrong.expectNone();
  });

  it("values", () => {
    const expected = golden.float32("values");
    const values = dequantize(quantized);
    const wrong = new Mismatches();
    for (let i = 0; i < expected.length; i++)
      wrong.compare(values[i]!, expected[i]!, () => `value of ${input[i]} at ${i}`);
    wrong.expectNone();
  });
});

it("reads all 24 files", () => expect(new Set(files.map(([file]) => file)).size).toBe(24));
