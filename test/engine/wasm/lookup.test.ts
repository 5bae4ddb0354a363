import { describe, expect, it } from "vitest";
import { comparerOf, provenKernel } from "../../../src/engine/wasm/difference/comparison.js";
import { lookupModule } from "../../../src/engine/wasm/difference/lookup.js";
import { webAssembly } from "../../../src/engine/wasm/platform.js";
import {
  findOtherCodes,
  lookUpCodes,
  tableBytes,
  tableParts,
  tableParts4,
} from "../../../src/lens/difference/look-up.js";
import { seeded } from "../../source/support.js";

const comparer = comparerOf(await provenKernel());

const size = { pages: 8, shared: false };
const memory = new webAssembly!.Memory({ initial: size.pages, maximum: size.pages });
const names = ["bits8", "bits4", "bits4Short"] as const;
const kernels = Object.assign(
  {},
  ...names.map((name) => {
    const { Instance, Module } = webAssembly!;
    return new Instance(new Module(lookupModule(size, name)), { host: { memory } }).exports;
  }),
);

/** Gives away bytes of the memory, drawn. */
function inMemory(below: (n: number) => number) {
  let used = 0;
  return (length: number): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(memory.buffer as ArrayBuffer, used, length);
    used += Math.ceil(length / 16) * 16;
    for (let i = 0; i < length; i++) bytes[i] = below(256);
    return bytes;
  };
}

describe.each([
  { bits: 8, bytes: 16 },
  { bits: 8, bytes: 128 },
  { bits: 4, bytes: 8 },
  { bits: 4, bytes: 16 },
  { bits: 4, bytes: 24 },
  { bits: 4, bytes: 128 },
] as const)("runs of $bytes bytes, codes of $bits bits", ({ bits, bytes }) => {
  it("are looked up as the specification does in any tables, and nothing else is written", () => {
    const drawn = inMemory(seeded(bytes + bits));
    const runs = Math.floor(8192 / bytes) + 3;
    const tables = drawn(256 * tableBytes[bits]);
    // Of this part all bytes are the same.
    for (let at = tableParts.outside; bits === 8 && at < tables.length; at += tableBytes[8]) {
      tables.fill(tables[at], at, at + 16);
    }
    const codes = drawn(runs * bytes);
    const scales = drawn(runs);
    const length = (8 * codes.length) / bits;
    const into = drawn(2 * length + 16);
    const left = drawn(4 * (scales.length + 2));
    const found = new Uint16Array(into.buffer, into.byteOffset, length + 8);
    const expected = found.slice();
    const foundLeft = new Uint32Array(left.buffer, left.byteOffset, scales.length + 2);
    const expectedLeft = new Uint32Array(foundLeft.length);
    lookUpCodes({ codes, bits, scales, bytes }, tables, expected.subarray(0, length), expectedLeft);
    const name = bits === 8 ? "bits8" : bytes % 16 === 0 ? "bits4" : "bits4Short";
    const addresses = [tables, into, left].map(({ byteOffset }) => byteOffset);
    // Not by the comparer, which would take the specification for a kernel that is wrong.
    kernels[name](codes.byteOffset, scales.byteOffset, runs, bytes, ...addresses);
    expect(found).toEqual(expected);
    const listed = (list: Uint32Array) => [...list.subarray(0, list[0] + 1)];
    expect(listed(foundLeft)).toEqual(listed(expectedLeft));
    // Of tables that are drawn some runs are left, and some are not.
    if (bits === 8 && bytes === 16) expect([0, scales.length]).not.toContain(expectedLeft[0]);
  });

  it("are listed by blocks where one bit differs or a table has what is not finite, and nothing else is written", () => {
    const below = seeded(bytes);
    const drawn = inMemory(below);
    const runs = Math.floor(8192 / bytes) + 3;
    const tables = drawn(256 * tableBytes[bits]);
    for (let at = 0, table = 0; at < tables.length; at += tableBytes[bits], table++) {
      if (bits === 8) tables.fill(below(2), at + tableParts.outside, at + tableParts.outside + 16);
      else tables.fill(table === 9 ? 255 : 0, at + tableParts4.notFinite, at + tableParts4.notFinite + 16);
    }
    const codes = drawn(runs * bytes);
    const scales = drawn(runs);
    const length = (8 * codes.length) / bits;
    const bytesOfNumbers = drawn(2 * length);
    const numbers = new Uint16Array(bytesOfNumbers.buffer, bytesOfNumbers.byteOffset, length);
    const list = drawn(4 * (runs + 2));
    const found = new Uint32Array(list.buffer, list.byteOffset, runs + 2);
    lookUpCodes({ codes, bits, scales, bytes }, tables, numbers, new Uint32Array(runs + 2));
    const name = `bits${bits}${bits === 4 && bytes % 16 !== 0 ? "Short" : ""}Other`;
    const addresses = [tables, bytesOfNumbers, list].map(({ byteOffset }) => byteOffset);
    for (let round = 0; round < 12; round++) {
      const perBlock = 1 + below(round < 6 ? 3 : runs);
      const expected = new Uint32Array(runs + 2);
      findOtherCodes({ codes, bits, scales, bytes }, tables, numbers, perBlock, expected);
      const before = numbers.slice();
      kernels[name](codes.byteOffset, scales.byteOffset, runs, bytes, ...addresses, perBlock);
      expect([...found.subarray(0, found[0] + 1)]).toEqual([...expected.subarray(0, expected[0] + 1)]);
      expect(numbers).toEqual(before);
      const differing = below(length);
      numbers[differing] ^= 1 << below(16);
    }
  });
});

it("looks up what lies outside of the kernel's memory too", () => {
  const tables = Uint8Array.from({ length: 256 * 64 }, (_, i) => i * 7);
  const [into, left] = [new Uint16Array(16), new Uint32Array(3)];
  const codes = Uint8Array.from({ length: 8 }, (_, i) => 3 * i);
  comparer.lookUp({ codes, bits: 4, scales: Uint8Array.of(7), bytes: 8 }, tables, into, left);
  const number = (code: number) => tables[7 * 64 + code] + 256 * tables[7 * 64 + 16 + code];
  expect([...into]).toEqual([...codes].flatMap((byte) => [number(byte & 15), number(byte >> 4)]));
});
