import { describe, expect, it } from "vitest";
import { comparerOf, provenKernel } from "../../../src/engine/wasm/difference/comparison.js";
import { lookUpCodes } from "../../../src/lens/difference/difference-codes.js";
import { seeded } from "../../source/support.js";

const comparer = comparerOf(await provenKernel());

/** Bytes in the comparer's memory, where the kernel reads them, drawn. */
function drawn(length: number, below: (n: number) => number): Uint8Array<ArrayBuffer> {
  const bytes = comparer.allocate(length);
  for (let i = 0; i < length; i++) bytes[i] = below(256);
  return bytes;
}

describe.each([
  { name: "one code a byte", entry: 2, bytes: 16 },
  { name: "one code a byte, long runs", entry: 2, bytes: 128 },
  { name: "two codes a byte", entry: 4, bytes: 8 },
  { name: "two codes a byte, of 32", entry: 4, bytes: 16 },
])("$name", ({ entry, bytes }) => {
  it("looks up what the specification does, and writes nothing else", () => {
    const below = seeded(bytes + entry);
    const runs = 300;
    const bank = drawn(256 * 256 * entry, below);
    const tables =
      entry === 2
        ? new Uint16Array(bank.buffer, bank.byteOffset, 65536)
        : new Uint32Array(bank.buffer, bank.byteOffset, 65536);
    const codes = drawn(runs * bytes, below);
    const scales = drawn(runs, below);
    const length = runs * bytes * (entry / 2);
    const into = drawn(2 * length + 16, below);
    const expected = new Uint16Array(into.slice().buffer);
    const found = new Uint16Array(into.buffer, into.byteOffset, length + 8);
    // The first answer is compared by the comparer itself, the second one is the kernel's alone.
    for (let twice = 0; twice < 2; twice++) {
      found.subarray(0, length).fill(0);
      comparer.lookUp({ codes, scales, bytes }, tables, found.subarray(0, length));
    }
    lookUpCodes({ codes, scales, bytes }, tables, expected.subarray(0, length));
    expect(found).toEqual(expected);
  });
});

it("looks up what lies outside of the kernel's memory too", () => {
  const tables = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const into = new Uint16Array(16);
  const codes = Uint8Array.from({ length: 16 }, (_, i) => 3 * i);
  comparer.lookUp({ codes, scales: Uint8Array.of(7), bytes: 16 }, tables, into);
  expect([...into]).toEqual([...codes].map((code) => 7 * 256 + code));
});
