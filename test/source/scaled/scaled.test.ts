import { describe, expect, it, test } from "vitest";
import { comparerOf, provenKernel } from "../../../src/engine/wasm/difference/comparison.js";
import { format } from "../../../src/format/registry.js";
import { codeComparer } from "../../../src/lens/difference/difference-codes.js";
import type { DifferenceResult } from "../../../src/lens/difference/difference-result.js";
import { openCheckpoint } from "../../../src/source/checkpoint.js";
import { differenceOf } from "../../../src/source/pair/difference-of.js";
import { openPair } from "../../../src/source/pair/open-pair.js";
import { encodeSafetensors, type TensorToWrite } from "../../../src/source/safetensors/write.js";
import { expectEqual } from "../../support/mismatches.js";
import { expectValid } from "../../support/schemas.js";
import { sized } from "../../support/tier.js";
import { put, seeded, temporaryFolder } from "../support.js";
import { e4m3, e5m2, files, type Made, make, recipes } from "./make.js";

const folder = temporaryFolder();

async function numbersOf(path: string, name: string, piece: number) {
  const { tensors, skipped, close } = await openCheckpoint(path);
  const { values, shape, dtype } = tensors.get(name)!;
  const numbers = new Float64Array(values!.length);
  for (let at = 0; at < numbers.length; at += piece) await values!.read(at, numbers.subarray(at, at + piece));
  await close();
  return {
    shape,
    numbers: Float32Array.from(numbers),
    names: [...tensors.keys()],
    skipped,
    dtype: dtype.name,
  };
}

const kernel = await provenKernel();

async function diff(before: string, after: string, view?: string): Promise<DifferenceResult> {
  const pair = await openPair(before, after, { view: view === undefined ? null : format(view) });
  const settings = { view: view ?? null, strict: false, sample: 1, seed: 0 };
  const [fast, plain] = await Promise.all(
    [comparerOf(kernel), codeComparer()].map((comparer) => differenceOf(pair, { ...settings, comparer })),
  );
  await pair.close();
  expect(fast.tensors).toEqual(plain.tensors);
  expectValid("diff", fast);
  return fast;
}

const list = Object.entries(recipes).map(([name, recipe]) => ({ name, made: make(recipe) }));

describe.each(list)("$name", ({ name, made }) => {
  const file = name.replaceAll(/\W+/g, "-");
  const { coded, bf16 } = files(made);
  const paths = [put(folder, `${file}-coded`, coded), put(folder, `${file}-bf16`, bf16)];

  it.each([1_000_000, 517])("is one tensor of numbers, in pieces of %i", async (piece) => {
    const found = await numbersOf(paths[0], made.name, piece);
    expect(found.shape).toEqual(made.shape);
    expectEqual(found.numbers, made.numbers);
    // No scale is a weight.
    expect(found.names).toEqual([made.name]);
    expect(found.skipped).toEqual([]);
  });

  it("every number is that of the bf16 checkpoint made of it, in both directions", async () => {
    for (const [before, after] of [paths, paths.toReversed()]) {
      const { totals, skipped } = await diff(before, after);
      expect(totals).toMatchObject({ changed: 0, unchanged: made.numbers.length, nonfinite: 0 });
      expect(totals).not.toHaveProperty("codes");
      // To quantize changes numbers that no update did: that bounds nothing.
      expect(totals.realSparsityAtMost).toBe(before === paths[0] ? 1 : null);
      expect(totals.hidden).toBeNull();
      expect(skipped).toEqual([]);
    }
  });

  it("against itself nothing changed, by number and by code", async () => {
    const { totals, delta } = await diff(paths[0], paths[0]);
    const elements = made.numbers.length;
    expect(totals).toMatchObject({ changed: 0, unchanged: elements, bytesChanged: 0, tensorsUnchanged: 1 });
    expect(totals.codes).toMatchObject({ elements, changed: 0, changedByScale: 0, scalesChanged: 0 });
    // Codes and scales as they lie in the file.
    const bytes = made.tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(delta.fullBytes).toBe(bytes);
  });

  it("by number and by code, counted one by one", async () => {
    const after = moved(made, name);
    const path = put(folder, `${file}-after`, encodeSafetensors(after.tensors));
    const { totals } = await diff(paths[0], path);
    const expected = { changed: 0, codes: 0, changedByScale: 0 };
    const codes = [made, after].map(({ tensors }) => codesOf(tensors[0]));
    for (const [i, from] of made.numbers.entries()) {
      const changed = from !== after.numbers[i];
      const sameCode = codes[0][i] === codes[1][i];
      if (changed) expected.changed += 1;
      if (!sameCode) expected.codes += 1;
      if (changed && sameCode) expected.changedByScale += 1;
    }
    expect(expected.changed).toBeGreaterThan(0);
    expect(expected.codes).toBeGreaterThan(0);
    expect(totals.changed).toBe(expected.changed);
    expect(totals.codes).toMatchObject({ changed: expected.codes, changedByScale: expected.changedByScale });
    expect(totals.codes!.scalesChanged).toBe(1);
  });
});

describe("codes and scales that have no ordinary numbers", () => {
  it.each([
    { dtype: "F8_E4M3", finite: 0x7e },
    { dtype: "F8_E5M2", finite: 0x7b },
  ])("$dtype are what the bf16 made of them is, run by run", async ({ dtype, finite }) => {
    const width = sized({ quick: 64, full: 128 });
    const hard = [
      0,
      -0,
      NaN,
      Infinity,
      -2,
      2 ** -126,
      2 ** -120,
      1.5 * 2 ** -117,
      2 ** -149,
      2 ** 119,
      3e38,
      1,
    ];
    const scales = Float32Array.from({ length: 24 }, (_, i) => hard[i >> 1] * (1 + (i & 1) / 128));
    const shape = [128 * scales.length, width];
    const codes = Uint8Array.from({ length: shape[0] * width }, (_, i) => i + (i >> 8));
    const numbers = Float32Array.from(codes, (code, i) => {
      const number = dtype === "F8_E4M3" ? e4m3(code) : e5m2(code);
      const isInf = dtype === "F8_E5M2" && (code & 127) === 0x7c;
      const element = (code & 127) <= finite ? number : isInf ? (code >> 7 ? -Infinity : Infinity) : NaN;
      return element * scales[Math.floor(i / width / 128)];
    });
    const bf16 = Uint16Array.from(new Uint32Array(numbers.buffer), (word) =>
      (word & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16,
    );
    const name = "w.weight";
    const coded = encodeSafetensors([
      { name, dtype, shape, data: codes },
      { name: `${name}_scale_inv`, dtype: "F32", shape: [scales.length, 1], data: scales },
    ]);
    const rounded = encodeSafetensors([{ name, dtype: "BF16", shape, data: bf16 }]);
    const { totals } = await diff(
      put(folder, `hard-${dtype}`, coded),
      put(folder, `hard-${dtype}-bf16`, rounded),
    );
    const nonfinite = bf16.reduce((count, code) => count + Number((code & 0x7f80) === 0x7f80), 0);
    expect(nonfinite).toBeGreaterThan(3 * 128 * width);
    expect(totals).toMatchObject({
      changed: 0,
      bytesChanged: 0,
      nonfinite,
      unchanged: codes.length - nonfinite,
    });
  });
});

function codesOf({ dtype, data }: TensorToWrite): number[] {
  const bytes = [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
  return dtype.startsWith("F8") ? bytes : bytes.flatMap((byte) => [byte & 15, byte >> 4]);
}

/** The same with some other codes and, in the middle, another scale: what its numbers are is read from a file of its own. */
function moved(made: Made, name: string): Made {
  const recipe = recipes[name];
  const [codes, scales, ...rest] = made.tensors;
  const below = seeded(11);
  const bytes = new Uint8Array(codes.data.buffer).slice();
  const isFp8 = codes.dtype.startsWith("F8");
  for (let n = 0; n < 50; n++) {
    const at = below(bytes.length);
    bytes[at] = isFp8
      ? (bytes[at] & 0x80) | ((bytes[at] + 1) & 0x3f)
      : bytes[at] ^ (below(2) === 0 ? 1 : 0x30);
  }
  const { data } = scales;
  const copy = new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  const width = data.byteLength / (scales.shape.reduce((all, length) => all * length, 1) || 1);
  const middle = Math.floor(copy.length / width / 2);
  // The lowest bit of its exponent, or of its significand in the formats of wider scales.
  copy[middle * width + (width === 1 ? 0 : width - 2)] ^= 1;
  const view =
    scales.dtype === "F32"
      ? new Float32Array(copy.buffer)
      : scales.dtype === "BF16"
        ? new Uint16Array(copy.buffer)
        : copy;
  const factor = (index: number) => {
    if (index !== middle) return 1;
    return scaleNumber(scales.dtype, view, middle) / scaleNumber(scales.dtype, data as typeof view, middle);
  };
  expect(factor(middle)).not.toBe(1);
  const before = codesOf(codes);
  const after = codesOf({ ...codes, data: bytes });
  const number = (code: number) =>
    isFp8 ? format8(codes.dtype, code) : (code < 8 ? 1 : -1) * [0, 0.5, 1, 1.5, 2, 3, 4, 6][code & 7];
  const [height, columns] = [made.shape.at(-2) ?? 1, made.shape.at(-1) ?? 1];
  const tensor = rest[0]?.data as Float32Array | undefined;
  const numbers = made.numbers.map((from, i) => {
    const row = Math.floor(i / columns);
    const matrix = Math.floor(row / height);
    const index = recipe.scaleOf(matrix, row % height, i % columns);
    if (before[i] === after[i] && index !== middle) return from;
    const scale = scaleNumber(scales.dtype, view, index);
    const other = tensor?.[tensor.length > 1 ? matrix : 0];
    const both =
      other === undefined ? scale : Math.fround(recipe.tensorScale!.divides ? scale / other : scale * other);
    return number(after[i]) * both;
  });
  return { ...made, numbers, tensors: [{ ...codes, data: bytes }, { ...scales, data: view }, ...rest] };
}

function format8(dtype: string, code: number): number {
  const mantissa = dtype === "F8_E4M3" ? 3 : 2;
  const bias = dtype === "F8_E4M3" ? 7 : 15;
  const [field, m] = [(code & 127) >> mantissa, code & (2 ** mantissa - 1)];
  const magnitude =
    field === 0 ? m * 2 ** (1 - bias - mantissa) : (1 + m / 2 ** mantissa) * 2 ** (field - bias);
  return code < 128 ? magnitude : -magnitude;
}

function scaleNumber(dtype: string, data: ArrayLike<number>, index: number): number {
  const code = data[index];
  if (dtype === "F32") return code;
  if (dtype === "BF16") return (1 + (code & 127) / 128) * 2 ** ((code >> 7) - 127);
  return dtype === "F8_E4M3" ? format8(dtype, code) : 2 ** (code - 127);
}

test("a scale of NaN makes its numbers nonfinite, and a NaN code one", async () => {
  const made = make({ ...recipes.mxfp8, seed: 3 });
  const [codes, scales] = made.tensors;
  const bytes = new Uint8Array(codes.data.buffer).slice();
  bytes[1000] = 0x7f;
  const exponents = new Uint8Array(scales.data.buffer).slice();
  exponents[2] = 255;
  const path = put(
    folder,
    "nan",
    encodeSafetensors([
      { ...codes, data: bytes },
      { ...scales, data: exponents },
    ]),
  );
  const whole = put(folder, "whole", encodeSafetensors(made.tensors));
  const bf16 = put(folder, "whole-bf16", files(made).bf16);
  expect((await diff(whole, path)).totals).toMatchObject({ nonfinite: 33, nonfiniteChanged: 33, changed: 0 });
  expect((await diff(path, path)).totals).toMatchObject({ nonfinite: 33, nonfiniteChanged: 0 });
  expect((await diff(path, bf16)).totals).toMatchObject({ nonfinite: 33, changed: 0 });
});

test("two ways to store the same numbers: equal by number, not to be told by code", async () => {
  const { tensors, numbers } = make(recipes["compressed-tensors, mxfp4"]);
  const [packed, exponents] = tensors;
  const plain = encodeSafetensors([
    { name: "layers.0.up.weight", dtype: "F32", shape: [50, 96], data: numbers },
  ]);
  const other = encodeSafetensors([
    { ...packed, name: "layers.0.up.weight", dtype: "I8" },
    { ...exponents, name: "layers.0.up.scale", dtype: "F8_E8M0" },
  ]);
  const [a, b, c] = [encodeSafetensors(tensors), other, plain].map((bytes, i) =>
    put(folder, `way-${i}`, bytes),
  );
  expect((await diff(a, b)).totals.codes).toMatchObject({ changed: 0, scalesChanged: 0 });
  expect((await diff(a, c)).totals).toMatchObject({ changed: 0, elements: 4800 });
  expect((await diff(b, c)).totals).toMatchObject({ changed: 0, elements: 4800 });
});

describe("left out by name, with the share that is", () => {
  const made = make(recipes["DeepSeek-V3"]);
  const [codes, scales] = made.tensors;
  const norm = { name: "norm.weight", dtype: "F32", shape: [2], data: Float32Array.of(1, 2) };
  const nv = make(recipes["ModelOpt, nvfp4"]).tensors;
  const bytes = (count: number) => new Uint8Array(count);
  it.each<[string, readonly TensorToWrite[], string, RegExp, number]>([
    [
      "scales of another shape",
      [codes, { ...scales, shape: [3, 2] }],
      codes.name,
      /^its scales in ".*_inv" have the shape \[3, 2\], expected \[2, 3\], or one a row or tensor, for numbers of shape \[200, 320\]$/,
      64000,
    ],
    [
      "no scale of the tensor",
      nv.slice(0, 2),
      "layers.0.up.weight",
      /^its tensor scale "layers.0.up.weight_scale_2" is not there$/,
      10240,
    ],
    [
      "bitsandbytes",
      [
        { name: "q.weight", dtype: "U8", shape: [64, 1], data: bytes(64) },
        { name: "q.weight.absmax", dtype: "F32", shape: [2], data: new Float32Array(2) },
        { name: "q.weight.quant_map", dtype: "F32", shape: [16], data: new Float32Array(16) },
      ],
      "q.weight",
      /^its numbers are codes times the scales in "q.weight.absmax", which are not read$/,
      128,
    ],
    [
      "GPTQ",
      [
        { name: "q.qweight", dtype: "I32", shape: [4, 4], data: new Int32Array(16) },
        { name: "q.scales", dtype: "F16", shape: [1, 4], data: new Uint16Array(4) },
        { name: "q.qzeros", dtype: "I32", shape: [1, 1], data: new Int32Array(1) },
      ],
      "q.qweight",
      /which are not read$/,
      16,
    ],
  ])("%s", async (what, tensors, name, reason, weights) => {
    const path = put(folder, `left-${what.replaceAll(" ", "-")}`, encodeSafetensors([...tensors, norm]));
    const { totals, skipped } = await diff(path, path);
    expect(totals.elements).toBe(2);
    const [left, ...sidecars] = skipped.toSorted((a, b) => (b.elements ?? 0) - (a.elements ?? 0));
    expect(left).toMatchObject({ name, elements: weights });
    expect(left.reason).toMatch(reason);
    for (const sidecar of sidecars) expect(sidecar).not.toHaveProperty("elements");
  });

  it("scales of activations are no weights", async () => {
    const input = { name: "layers.0.up.input_scale", dtype: "F32", shape: [], data: new Float32Array(1) };
    const path = put(folder, "input", encodeSafetensors([...made.tensors, input]));
    const { totals, skipped } = await diff(path, path);
    expect(totals).toMatchObject({ elements: 64000, tensors: 1 });
    expect(skipped).toEqual([{ name: input.name, reason: `belongs to the codes in "${codes.name}"` }]);
  });
});
