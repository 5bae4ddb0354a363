import { getFloat16 } from "@petamoriken/float16";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openSafetensors, type StoredTensor } from "../../../src/source/safetensors/stored-tensor.js";
import { encodeSafetensors } from "../../../src/source/safetensors/write.js";
import { expectEqual } from "../../support/mismatches.js";
import { memorySource, seeded } from "../support.js";

type Numbers = Float32Array | Float64Array;

async function stored(dtype: string, data: ArrayBufferView, elements: number): Promise<StoredTensor> {
  // The tensor before it shifts the data, so that begin is not a multiple of the width.
  const shift = { name: "shift", dtype: "U8", shape: [3], data: new Uint8Array(3) };
  const bytes = encodeSafetensors([shift, { name: "w", dtype, shape: [elements], data }]);
  const { tensors } = await openSafetensors(memorySource("m", bytes));
  return tensors.get("w")!;
}

async function readAll<T extends Numbers>(tensor: StoredTensor, into: T): Promise<T> {
  await tensor.values!.read(0, into);
  return into;
}

function expectSame(actual: Numbers, oracle: (index: number) => number): void {
  const wrong = actual.findIndex((x, i) => !Object.is(x, oracle(i)));
  expect(wrong < 0 || { index: wrong, actual: actual[wrong], expected: oracle(wrong) }).toBe(true);
}

const view = new DataView(new ArrayBuffer(8));

function float16(code: number): number {
  view.setUint16(0, code);
  return getFloat16(view, 0);
}

function bfloat16(code: number): number {
  view.setUint32(0, code * 2 ** 16);
  return view.getFloat32(0);
}

/** OCP OFP8 1.0, table 1: bias 7, S.1111.111 is NaN, no Inf. */
function e4m3(code: number): number {
  const sign = code & 0x80 ? -1 : 1;
  const exponent = (code >> 3) & 15;
  const fraction = (code & 7) / 8;
  if ((code & 0x7f) === 0x7f) return NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -6 : (1 + fraction) * 2 ** (exponent - 7));
}

/** OCP OFP8 1.0: the upper byte of a binary16. */
function e5m2(code: number): number {
  return float16(code << 8);
}

describe.each([
  ["F16", 65536, Uint16Array, float16],
  ["BF16", 65536, Uint16Array, bfloat16],
  ["F8_E4M3", 256, Uint8Array, e4m3],
  ["F8_E5M2", 256, Uint8Array, e5m2],
] as const)("%s", (dtype, codes, Codes, oracle) => {
  test(`all ${codes} codes`, async () => {
    const tensor = await stored(dtype, Codes.from(Array(codes).keys()), codes);
    expectSame(await readAll(tensor, new Float32Array(codes)), oracle);
    expectSame(await readAll(tensor, new Float64Array(codes)), oracle);
  });
});

test("known numbers", async () => {
  const values = async (dtype: string, data: ArrayBufferView, n: number) =>
    Array.from(await readAll(await stored(dtype, data, n), new Float64Array(n)));
  expect(await values("F8_E4M3", Uint8Array.of(0x7e, 0x01, 0xb8, 0x80), 4)).toEqual([448, 2 ** -9, -1, -0]);
  expect(await values("F8_E5M2", Uint8Array.of(0x7b, 0x01, 0xfc, 0x7c), 4)).toEqual([
    57344,
    2 ** -16,
    -Infinity,
    Infinity,
  ]);
  expect(await values("BF16", Uint16Array.of(0x3f80, 0x7f7f, 1, 0xc049), 4)).toEqual([
    1,
    (2 - 2 ** -7) * 2 ** 127,
    2 ** -133,
    -3.140625,
  ]);
  expect(await values("F16", Uint16Array.of(0x3c00, 0x7bff, 1, 0x8000), 4)).toEqual([1, 65504, 2 ** -24, -0]);
});

/** Words of any bits, special values of fp32 and fp64 among them. */
function randomWords(count: number): Uint32Array {
  const random = seeded(11);
  const words = Uint32Array.from({ length: count }, () => random(2 ** 32));
  words.set([0, 0x80000000, 1, 0x7f800000, 0xff800000, 0x7fc00000, 0x00800000, 0x7f7fffff]);
  return words;
}

test("F32 comes bit for bit, and exact as fp64", async () => {
  const words = randomWords(10_000);
  const tensor = await stored("F32", words, words.length);
  const same = await readAll(tensor, new Float32Array(words.length));
  expectEqual(new Uint32Array(same.buffer), words);
  const data = new DataView(words.buffer);
  expectSame(await readAll(tensor, new Float64Array(words.length)), (i) => data.getFloat32(4 * i, true));
});

test("F64 comes bit for bit, and never as fp32", async () => {
  const words = randomWords(10_000);
  const tensor = await stored("F64", words, words.length / 2);
  const same = await readAll(tensor, new Float64Array(words.length / 2));
  expectEqual(new Uint32Array(same.buffer), words);
  await expect(readAll(tensor, new Float32Array(2))).rejects.toThrow(TypeError);
});

describe("pieces at any offset equal the whole", () => {
  test.each(["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"])("%s", async (dtype) => {
    const bytes = new Uint8Array(randomWords(2 ** 10).buffer);
    const elements = bytes.length / ({ F64: 8, F32: 4, F16: 2, BF16: 2 }[dtype] ?? 1);
    const tensor = await stored(dtype, bytes, elements);
    const whole = await readAll(tensor, new Float64Array(elements));
    await fc.assert(
      fc.asyncProperty(fc.nat(elements), fc.nat(elements), async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        // A view into a larger array, whose neighbours must stay.
        const into = new Float64Array(end - start + 2).fill(7);
        await tensor.values!.read(start, into.subarray(1, -1));
        expectEqual(into, Float64Array.of(7, ...whole.subarray(start, end), 7));
      }),
    );
  });
});

test("a tensor of many pieces, read at once and at the same time", async () => {
  const elements = 1_300_001;
  const random = seeded(3);
  const codes = Uint16Array.from({ length: elements }, () => random(65536));
  const tensor = await stored("BF16", codes, elements);
  const reads = [0, 1, 2].map((start) => [start, new Float64Array(elements - start)] as const);
  await Promise.all(reads.map(([start, into]) => tensor.values!.read(start, into)));
  for (const [start, into] of reads) expectSame(into, (i) => bfloat16(codes[start + i]));
});

test("reads into shared memory", async () => {
  const tensor = await stored("F32", Float32Array.of(1, -2, 3), 3);
  const shared = new Float32Array(new SharedArrayBuffer(12));
  expect([...(await readAll(tensor, shared))]).toEqual([1, -2, 3]);
});

test.each([
  [-1, 1],
  [0, 4],
  [3, 1],
])("refuses to read from %d on %d numbers of 3", async (start, count) => {
  const tensor = await stored("F32", Float32Array.of(1, 2, 3), 3);
  await expect(tensor.values!.read(start, new Float32Array(count))).rejects.toThrow(RangeError);
});
