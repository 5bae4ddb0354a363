import { describe, expect, it } from "vitest";
import { batchesOf } from "../../../src/engine/gpujs/batch.js";
import { fromDevice, isInDomain, toDevice } from "../../../src/engine/gpujs/domain.js";
import { goneNumber, negativeZero } from "../../../src/engine/gpujs/kernels/kernel.js";
import { tensorOf } from "../../support/values.js";

const numbers = (length: number, from = 0) => Float32Array.from({ length }, (_, i) => from + i);

describe("batches", () => {
  const lengths = [1, 4096, 4097, 0, 20_000, 3];
  const tensors = lengths.map((length, t) => tensorOf(`t${t}`, numbers(length), numbers(length, 1)));

  it.each([4096, 8192, 12_288, 1 << 20])(
    "of %i elements hold every element once, in whole blocks",
    (capacity) => {
      const seen = lengths.map((length) => new Uint8Array(length));
      for (const batch of batchesOf(tensors, capacity)) {
        expect(batch.length).toBeLessThanOrEqual(capacity);
        expect(batch.length).toBe(batch.blocks * 4096);
        for (let block = 0; block < batch.blocks; block++) {
          const { tensor, start, at } = batch.pieceOf(block);
          const first = batch.startOf(block);
          expect(first).toBe(start + block * 4096 - at);
          expect(first % 4096).toBe(0);
          for (let i = block * 4096; i < batch.endOf(block); i++) seen[tensor][first + i - block * 4096] += 1;
        }
      }
      expect(seen.every((counts) => counts.every((count) => count === 1))).toBe(true);
    },
  );

  it("read the numbers of their pieces to their places, and leave the rest", async () => {
    const [batch] = batchesOf(tensors.slice(0, 3), 1 << 20);
    const into = new Float32Array(batch.length).fill(-7);
    await batch.read(({ updates }) => updates[0], into);
    expect([into[0], into[1], into[4096], into[8191], into[8192], into[12_288], into[12_289]]).toEqual([
      1, -7, 1, 4096, 1, 4097, -7,
    ]);
  });
});

describe("what a device is given", () => {
  it("is zero, or from 2^-80 to 2^100 and fp32", () => {
    for (const x of [0, -0, 2 ** -80, -(2 ** 100), 0.1 + 2 ** -30].map(Math.fround))
      expect(isInDomain(x)).toBe(true);
    for (const x of [Number.NaN, Infinity, 2 ** -81, 2 ** 100 * 1.5, 2 ** -149, 0.1])
      expect(isInDomain(x)).toBe(false);
  });

  it("comes back as it went, -0 too; a block with anything else is all zeros and named", () => {
    const given = new Float64Array(3 * 4096 - 5).fill(1.5);
    given[3] = -0;
    given[5000] = 2 ** -140;
    const outside = new Set<number>();
    const written = toDevice(given, outside);
    expect([...outside]).toEqual([1]);
    expect(written).toHaveLength(3 * 4096);
    expect(written[3]).toBe(negativeZero);
    expect(written.subarray(4096, 8192).every((x) => x === 0)).toBe(true);
    expect(written[3 * 4096 - 1]).toBe(0);
    written[9000] = -goneNumber;
    const back = fromDevice(written, outside);
    expect(back[3]).toBe(-0);
    expect(back[4]).toBe(1.5);
    expect([...outside]).toEqual([1, 2]);
  });
});
