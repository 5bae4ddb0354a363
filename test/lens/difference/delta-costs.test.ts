import { describe, expect, it } from "vitest";
import { bytesOf, deltaCosts, type Sent, sentNumbers, sentOf } from "../../../src/lens/difference/delta.js";
import { DifferenceTally } from "../../../src/lens/difference/difference.js";
import type { DeltaSample, DifferenceOfTensor } from "../../../src/lens/difference/difference-result.js";

const bytes = (full: number, gapValue: number, maskValue: number) => ({ full, gapValue, maskValue });
const sample: DeltaSample = {
  ...{ chunks: 1, elements: 50, changed: 10 },
  plain: bytes(100, 30, 27),
  gzip: bytes(80, 20, 15),
  zstd: bytes(50, 10, 5),
};
const nothing: DeltaSample = {
  ...{ chunks: 0, elements: 0, changed: 0 },
  ...{ plain: bytes(0, 0, 0), gzip: bytes(0, 0, 0), zstd: null },
};
const costs = (...tensors: Sent[]) => {
  const { fullBytes, indexValueBytes, maskValueBytes } = deltaCosts(tensors, nothing, null);
  return [fullBytes, indexValueBytes, maskValueBytes];
};
const tensor = (changes: object): DifferenceOfTensor =>
  ({
    ...{ elements: 20, bytesChanged: 6, changed: 5, nonfiniteChanged: 2 },
    ...{ formats: { before: "bf16", after: "bf16", compared: "bf16" }, ...changes },
  }) as unknown as DifferenceOfTensor;

describe("the cost of sending what changed, by hand", () => {
  it("is 4 bytes an index and the value, or a bit an element and the values", () => {
    expect(costs({ elements: 20, changed: 3, bits: 16 })).toEqual([40, 3 * (4 + 2), 3 + 6]);
    expect(costs({ elements: 20, changed: 0, bits: 32 })).toEqual([80, 0, 3]);
    // Codes of four bits lie two to a byte, but beside an index in a whole one.
    expect(costs({ elements: 21, changed: 3, bits: 4 })).toEqual([11, 3 * (4 + 1), 3 + 2]);
  });

  it("takes 8 bytes an index of tensors of more than 2^32 elements", () => {
    expect(costs({ elements: 2 ** 32, changed: 1, bits: 8 })).toEqual([2 ** 32, 5, 2 ** 29 + 1]);
    expect(costs({ elements: 2 ** 32 + 8, changed: 1, bits: 8 })).toEqual([2 ** 32 + 8, 9, 2 ** 29 + 2]);
  });

  it("has scales beside the codes: all, or those that changed with their indices or a bit each", () => {
    const scales = { scales: 10, changed: 2, bytes: 40, bytesChanged: 8 };
    expect(costs({ elements: 20, changed: 3, bits: 8, scales })).toEqual([
      20 + 40,
      3 * (4 + 1) + 2 * 4 + 8,
      3 + 3 + 2 + 8,
    ]);
  });

  it("adds up tensors", () => {
    const [one, other]: Sent[] = [
      { elements: 20, changed: 3, bits: 16 },
      { elements: 20, changed: 3, bits: 4 },
    ];
    expect(deltaCosts([one, other], nothing, null)).toMatchObject({
      ...{ elements: 40, changed: 6 },
      ...{ fullBytes: 40 + 10, indexValueBytes: 18 + 15, maskValueBytes: 9 + 5 },
    });
  });

  it("is estimated for compressed ones in proportion to the sample, to a byte", () => {
    const { compressed, sample: told } = deltaCosts([{ elements: 501, changed: 1, bits: 16 }], sample, null);
    // 1002 bytes in all, of which 100 were compressed.
    expect(compressed).toEqual({
      gzip: { fullBytes: 802, gapValueBytes: 200, maskValueBytes: 150 },
      zstd: { fullBytes: 501, gapValueBytes: 100, maskValueBytes: 50 },
      zstdUnknown: null,
    });
    expect(told).toBe(sample);
  });

  it("is unknown where nothing was sampled, and for zstd where there is none", () => {
    const sent = [{ elements: 20, changed: 3, bits: 16 }];
    expect(deltaCosts(sent, nothing, "no zstd").compressed).toEqual({
      ...{ gzip: null, zstd: null, zstdUnknown: "no zstd" },
    });
    const { compressed } = deltaCosts(sent, { ...sample, zstd: null }, "no zstd");
    expect([compressed.gzip === null, compressed.zstd]).toEqual([false, null]);
  });
});

describe("what is sent of a tensor", () => {
  it("are elements whose bytes changed, in whole bytes of the compared format", () => {
    expect(sentNumbers(tensor({}))).toEqual({ elements: 20, changed: 6, bits: 16 });
    expect(["e4m3fn", "e2m1fn", "fp16", "tf32", "fp32", "fp64"].map(bytesOf)).toEqual([1, 1, 2, 4, 4, 8]);
    const formats = { before: "fp64", after: "fp64", compared: "fp64" };
    expect(sentNumbers(tensor({ formats }))).toEqual({ elements: 20, changed: 6, bits: 64 });
  });

  it("are the numbers that changed where bytes were not counted, of results of schema 1", () => {
    expect(sentNumbers(tensor({ bytesChanged: null }))).toEqual({ elements: 20, changed: 7, bits: 16 });
  });

  it("are codes and scales where both sides have them of one kind", () => {
    const counted = {
      codes: 20,
      codesChanged: 3,
      scales: 10,
      scalesChanged: 2,
      scaleBytes: 40,
      scaleBytesChanged: 8,
    };
    const tally = Object.assign(new DifferenceTally(), counted);
    expect(sentOf(tensor({}), tally, 4)).toEqual({
      ...{ elements: 20, changed: 3, bits: 4 },
      scales: { scales: 10, changed: 2, bytes: 40, bytesChanged: 8 },
    });
    const numbers = { elements: 20, changed: 6, bits: 16 };
    expect(sentOf(tensor({}), tally, null)).toEqual(numbers);
    expect(sentOf(tensor({}), new DifferenceTally(), 4)).toEqual(numbers);
  });

  it("with shared scales are codes, scales of blocks and of tensors, without bits between codes", () => {
    const formats = { before: "bf16", after: "bf16", compared: "nvfp4" };
    const shared = { codes: 3, blocks: 10, blockScales: 3, tensors: 1, tensorScales: 1, bits: 0, numbers: 9 };
    const sent = sentNumbers(tensor({ elements: 21, formats, shared }));
    expect(sent).toEqual({
      ...{ elements: 21, changed: 3 },
      // 21 codes of 4 bits, 10 scales of 8, and the tensor's of 32.
      fullBytes: 11 + 10 + 4,
      // 3 codes and 3 scales, each with an index of 32 bits: 13.5 and 15 bytes.
      indexValueBytes: 14 + 15 + 4,
      // A bit for each code and each scale, and the 12 and 24 bits of those that changed.
      maskValueBytes: 3 + 2 + 2 + 3 + 4,
    });
    expect(costs(sent, sent)).toEqual([50, 66, 28]);
    const large = sentNumbers(
      tensor({ elements: 2 ** 32 + 2, formats, shared: { ...shared, blockScales: 0 } }),
    );
    expect(large).toMatchObject({ indexValueBytes: 26 + 4 });
    const edge = sentNumbers(tensor({ elements: 2 ** 32, formats, shared: { ...shared, blockScales: 0 } }));
    expect(edge).toMatchObject({ indexValueBytes: 14 + 4 });
    const still = { ...shared, codes: 0, blockScales: 0, tensorScales: 0 };
    expect(costs(sentNumbers(tensor({ elements: 21, formats, shared: still })))).toEqual([25, 0, 5]);
  });
});
