import { describe, expect, test } from "vitest";
import {
  comparerOf,
  countsRightly,
  memorySize,
  provenKernel,
} from "../../../src/engine/wasm/difference/comparison.js";
import { differenceModule } from "../../../src/engine/wasm/difference/kernel.js";
import { webAssembly } from "../../../src/engine/wasm/platform.js";
import { format } from "../../../src/format/registry.js";
import { DifferenceTally } from "../../../src/lens/difference/difference.js";
import { CodeComparison, type Comparison } from "../../../src/lens/difference/difference-codes.js";
import { seeded } from "../../source/support.js";
import { expectEqual } from "../../support/mismatches.js";

const kernel = await provenKernel();
const comparer = comparerOf(kernel);
const bf16 = format("bf16");

const tallyOf = (comparison: Comparison, before: Uint8Array, after: Uint8Array) => {
  const tally = new DifferenceTally();
  comparison.compare(before, after, tally);
  comparison.end(tally);
  return tally.toJSON();
};

/** Codes of which some differ: by a few ulps, by their sign, by anything; and a few that are NaN or Inf. */
function pair(length: number, seed: number, differ: number, nonfinite: boolean) {
  const below = seeded(seed);
  const any = () => {
    const code = below(2 ** 16);
    return nonfinite || (code & 0x7f80) !== 0x7f80 ? code : 0x3f80;
  };
  const before = Uint16Array.from({ length }, any);
  const after = before.map((code) => {
    if (below(1000) >= differ) return code;
    const moved = [code + 1, code ^ 0x8000, code + 3, code - 2, code + 17, any(), 0x8000, 0][below(8)];
    return nonfinite || (moved & 0x7f80) !== 0x7f80 ? moved : code;
  });
  return [new Uint8Array(before.buffer), new Uint8Array(after.buffer)] as const;
}

test("vectors are there and count as the specification does", () => {
  expect(kernel).not.toBeNull();
});

describe("a kernel that counts wrongly is refused", () => {
  const vector = (code: number) => Array.from({ length: 8 }, () => [code & 0xff, code >> 8]).flat();
  const floats = (x: number) => [...new Uint8Array(new Float32Array(4).fill(x).buffer)];
  /** Constants of the kernel, and wrong ones. */
  const wrong: readonly (readonly [string, number[], number[]])[] = [
    ["takes NaN for a number", vector(0x7f7f), vector(0x7fff)],
    ["takes -NaN for a number", vector(0xff7f), vector(0xffff)],
    ["takes 5e-6 for a small move's limit", floats(Math.fround(1e-5)), floats(5e-6)],
    ["counts 2 as 1", vector(1), vector(2)],
    ["takes a sign for a magnitude", vector(0x7fff), vector(0xffff)],
  ];

  test.each(wrong)("%s", async (_, right, instead) => {
    const bytes = differenceModule(memorySize);
    const at = [...bytes.keys()].find((i) => right.every((byte, n) => bytes[i + n] === byte));
    expect(at).toBeDefined();
    bytes.set(instead, at);
    expect(countsRightly(await webAssembly!.compile(bytes))).toBe(false);
  });

  test("and the right one is not", async () => {
    expect(countsRightly(await webAssembly!.compile(differenceModule(memorySize)))).toBe(true);
  });
});

test.each([1, 7, 8, 9, 31, 32, 33, 4095, 4096, 4097, 4104, 5 * 4096 + 1001])("%i elements", (length) => {
  for (const differ of [0, 3, 200, 1000]) {
    for (const nonfinite of [false, true]) {
      const [before, after] = pair(length, length + differ, differ, nonfinite);
      const expected = tallyOf(new CodeComparison(bf16), before, after);
      expectEqual(tallyOf(comparer.comparison(bf16), before, after), expected);
      // The same from its own memory, without a copy.
      const [a, b] = [before, after].map((bytes) => {
        const own = comparer.allocate(bytes.length);
        own.set(bytes);
        return own;
      });
      expectEqual(tallyOf(comparer.comparison(bf16), a, b), expected);
    }
  }
});

test("every code against its neighbours, its negative and zero", () => {
  const codes = Uint16Array.from({ length: 2 ** 16 }, (_, code) => code);
  for (const other of [1, -1, 2, 4, 0x8000, 0x7fff]) {
    const [before, after] = [codes, codes.map((code) => code + other)].map(
      ({ buffer }) => new Uint8Array(buffer),
    );
    expect(tallyOf(comparer.comparison(bf16), before, after)).toEqual(
      tallyOf(new CodeComparison(bf16), before, after),
    );
  }
});

test("other formats are compared too", () => {
  const [before, after] = pair(5000, 3, 200, true);
  for (const name of ["fp16", "e5m2", "fp32"]) {
    const resolved = format(name);
    expect(tallyOf(comparer.comparison(resolved), before, after)).toEqual(
      tallyOf(new CodeComparison(resolved), before, after),
    );
  }
});
