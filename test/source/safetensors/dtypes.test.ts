import { describe, expect, it } from "vitest";
import { diff } from "../../../src/node.js";
import { openSafetensors } from "../../../src/source/safetensors/stored-tensor.js";
import { encodeSafetensors } from "../../../src/source/safetensors/write.js";
import { memorySource, put, temporaryFolder } from "../support.js";

const folder = temporaryFolder();

/** Of formats of few bits all codes by number, from their fields (OCP Microscaling Formats 1.0, section 5.3). */
function number(code: number, exponentBits: number, significandBits: number): number {
  const half = 2 ** (exponentBits + significandBits);
  const magnitude = code % half;
  const bias = 2 ** (exponentBits - 1) - 1;
  const [field, m] = [Math.floor(magnitude / 2 ** significandBits), magnitude % 2 ** significandBits];
  const size =
    field === 0
      ? m * 2 ** (1 - bias - significandBits)
      : (1 + m / 2 ** significandBits) * 2 ** (field - bias);
  return code < half ? size : -size;
}

/** Codes of so many bits one after the other, the first in the lowest bits. */
function bytesOf(codes: readonly number[], bits: number): Uint8Array {
  const bytes = new Uint8Array((codes.length * bits) / 8);
  for (const [i, code] of codes.entries()) {
    for (let bit = 0; bit < bits; bit++) {
      const at = i * bits + bit;
      if ((code >> bit) & 1) bytes[at >> 3] |= 1 << (at & 7);
    }
  }
  return bytes;
}

const kinds = [
  { dtype: "F4", bits: 4, numberOf: (code: number) => number(code, 2, 1) },
  { dtype: "F6_E2M3", bits: 6, numberOf: (code: number) => number(code, 2, 3) },
  { dtype: "F6_E3M2", bits: 6, numberOf: (code: number) => number(code, 3, 2) },
  { dtype: "F8_E8M0", bits: 8, numberOf: (code: number) => (code === 255 ? NaN : 2 ** (code - 127)) },
  {
    dtype: "F8_E4M3FNUZ",
    bits: 8,
    numberOf: (code: number) => (code === 128 ? NaN : number(code, 4, 3) / 2),
  },
  {
    dtype: "F8_E5M2FNUZ",
    bits: 8,
    numberOf: (code: number) => (code === 128 ? NaN : number(code, 5, 2) / 2),
  },
];

describe.each(kinds)("$dtype", ({ dtype, bits, numberOf }) => {
  const codes = Array.from({ length: 5 * 2 ** bits }, (_, i) => (7 * i + 3) % 2 ** bits);
  const data = bytesOf(codes, bits);
  const shape = [5, 2 ** bits];
  const bytes = encodeSafetensors([{ name: "w", dtype, shape, data }]);

  it("every code, read from any element on", async () => {
    const { tensors } = await openSafetensors(memorySource("w", bytes));
    const { values } = tensors.get("w")!;
    const expected = codes.map((code) => numberOf(code) + 0);
    for (const [start, count] of [
      [0, codes.length],
      [1, 9],
      [2, 3],
      [5, 40],
      [codes.length - 1, 1],
    ]) {
      const numbers = new Float32Array(count);
      await values!.read(start, numbers);
      expect([...numbers].map((x) => x + 0)).toEqual(expected.slice(start, start + count));
    }
  });

  it("diff counts the codes that differ", async () => {
    const moved = codes.map((code, i) => (i % 97 === 5 ? (code + 1) % 2 ** bits : code));
    const paths = [codes, moved].map((content, i) =>
      put(
        folder,
        `${dtype}-${i}`,
        encodeSafetensors([{ name: "w", dtype, shape, data: bytesOf(content, bits) }]),
      ),
    );
    const { totals } = await diff(paths[0], paths[1]);
    const pairs = codes.map((code, i) => [code, moved[i]]);
    const finite = pairs.filter((pair) => pair.every((code) => Number.isFinite(numberOf(code))));
    expect(totals.bytesChanged).toBe(pairs.filter(([a, b]) => a !== b).length);
    expect(totals.changed).toBe(finite.filter(([a, b]) => numberOf(a) !== numberOf(b)).length);
    expect(totals.nonfinite).toBe(codes.length - finite.length);
  });
});

describe("tensors of no floats", () => {
  const ints = (name: string, dtype: string, data: ArrayBufferView, length: number) => ({
    name,
    dtype,
    shape: [length],
    data,
  });
  it("are compared by bytes, apart from the weights", async () => {
    const quantized = (q: number, mask: number) => [
      ints(
        "qweight",
        "I32",
        Int32Array.from({ length: 64 }, (_, i) => (i === 9 ? q : i * 65537)),
        64,
      ),
      ints(
        "ids",
        "I64",
        BigInt64Array.from({ length: 8 }, (_, i) => BigInt(i)),
        8,
      ),
      ints("mask", "BOOL", Uint8Array.of(1, mask, 0, 1), 4),
      ints("norm.weight", "F32", Float32Array.of(1), 1),
    ];
    const [a, b] = [quantized(1, 0), quantized(-1, 0)].map((tensors, i) =>
      put(folder, `ints-${i}`, encodeSafetensors(tensors)),
    );
    const { byBytes, totals, skipped } = await diff(a, b);
    expect(byBytes!.map(({ name, dtype, elements, changed }) => [name, dtype, elements, changed])).toEqual([
      ["qweight", "I32", 64, 1],
      ["ids", "I64", 8, 0],
      ["mask", "BOOL", 4, 0],
    ]);
    expect(totals.elements).toBe(1);
    expect(skipped).toEqual([]);
  });

  it("of two dtypes are left out", async () => {
    const paths = ["I32", "U32"].map((dtype) =>
      put(
        folder,
        dtype,
        encodeSafetensors([
          ints("ids", dtype, new Int32Array(2), 2),
          ints("w", "F32", Float32Array.of(1), 1),
        ]),
      ),
    );
    const { skipped } = await diff(paths[0], paths[1]);
    expect(skipped).toEqual([
      { name: "ids", reason: "its dtype in BEFORE is I32, which holds no floats", elements: 2 },
    ]);
  });
});
