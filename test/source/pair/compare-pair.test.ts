import { appendFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { format } from "../../../src/format/registry.js";
import { compareNumbers, DifferenceTally } from "../../../src/lens/difference/difference.js";
import { comparePair } from "../../../src/source/pair/compare-pair.js";
import { openPair } from "../../../src/source/pair/open-pair.js";
import { narrower } from "../../../src/source/pair/pair-up.js";
import { encodeSafetensors, type TensorToWrite } from "../../../src/source/safetensors/write.js";
import { float32, recorded } from "../../support/recorded.js";
import { sized } from "../../support/tier.js";
import { gaussian } from "../../support/values.js";
import { put, temporaryFolder } from "../support.js";

const folder = temporaryFolder();
const normal = gaussian(3);
/** More than one piece, and a part of a block of sums. */
const large = 2 ** 17 + 4097;
/** For views, which are taken of numbers one by one. */
const small = sized({ quick: 4096 + 907, full: large });

const dtypes = {
  F64: (x: Float32Array) => Float64Array.from(x),
  F32: (x: Float32Array) => x,
  BF16: (x: Float32Array) => Uint16Array.from(new Uint32Array(x.buffer), (word) => word >>> 16),
} as const;
type Name = keyof typeof dtypes;

const tensor = (dtype: Name, numbers: Float32Array): TensorToWrite => ({
  name: "w",
  dtype,
  shape: [numbers.length],
  data: dtypes[dtype](numbers),
});
const file = (name: string, ...tensors: TensorToWrite[]) => put(folder, name, encodeSafetensors(tensors));
/** Files before and after, as each dtype. */
function pairsOf(elements: number) {
  const start = Float32Array.from({ length: elements }, () => 0.02 * normal());
  const end = start.map((x, i) => (i % 7 === 0 ? x : i % 1001 === 0 ? NaN : x + 1e-5 * normal()));
  end[elements - 1] = Infinity;
  const pathsOf = (dtype: Name) => [
    file(`${dtype} of ${elements} before`, tensor(dtype, start)),
    file(`${dtype} of ${elements} after`, tensor(dtype, end)),
  ];
  return { F64: pathsOf("F64"), F32: pathsOf("F32"), BF16: pathsOf("BF16") };
}
const files = { [large]: pairsOf(large), [small]: pairsOf(small) };

async function compared(before: string, after: string, view: string | null = null) {
  const pair = await openPair(before, after, { view: view === null ? null : format(view) });
  const { tallies } = await comparePair(pair, { sample: view === null ? 1 : 0, seed: 0 });
  const [{ elements, compared: comparedAs }] = pair.tensors;
  const expected = new DifferenceTally();
  compareNumbers(await pair.tensors[0].read(0, elements), comparedAs, expected);
  await pair.close();
  return { tally: tallies[0].toJSON(), expected: expected.toJSON(), of: comparedAs };
}

describe("every way from bytes to counts gives those of the specification", () => {
  const names = Object.keys(dtypes) as Name[];
  const pairs = names.flatMap((before) => names.map((after) => [before, after] as const));

  test.each(pairs)("%s against %s", async (before, after) => {
    for (const view of [null, "bf16", "fp16", "fp32", "e4m3fn"]) {
      const elements = view === null ? large : small;
      const { tally, expected } = await compared(files[elements][before][0], files[elements][after][1], view);
      expect(tally).toEqual(expected);
      expect(tally.elements).toBe(elements);
      expect(tally.nonfinite).toBeGreaterThan(0);
    }
  });
});

describe("narrower", () => {
  const formatNamed = (name: string) => (name === "fp64" ? name : format(name));

  test.each([
    ["bf16", "fp32", "bf16"],
    ["fp32", "bf16", "bf16"],
    ["fp16", "fp32", "fp16"],
    ["fp64", "fp32", "fp32"],
    ["fp64", "fp64", "fp64"],
    ["e4m3fn", "bf16", "e4m3fn"],
    ["e5m2", "fp16", "e5m2"],
  ])("of %s and %s is %s", (a, b, expected) => {
    expect(narrower(formatNamed(a), formatNamed(b))).toEqual(formatNamed(expected));
  });

  test.each([
    ["bf16", "fp16"],
    ["e4m3fn", "e5m2"],
  ])("of %s and %s is neither", (a, b) => {
    expect(narrower(formatNamed(a), formatNamed(b))).toBeNull();
  });
});

test("a file that was written to since is refused", async () => {
  const before = file("grows", float32("w", [1]));
  const pair = await openPair(before, before);
  const comparing = comparePair(pair, { sample: 0, seed: 0 });
  appendFileSync(before, "x");
  await expect(comparing).rejects.toThrow(/grows: expected the file as it was when it was opened/);
  await pair.close();
});

test("progress ends with all bytes of both sides; tensors that were counted before are not counted again", async () => {
  const base = recorded("base.safetensors");
  const pair = await openPair(base, recorded("rlvr/final-fp32.safetensors"));
  const seen: (readonly [number, number])[] = [];
  const saved = new Map<string, unknown>();
  const options = {
    sample: 0,
    seed: 0,
    progress: (done: number, total: number) => void seen.push([done, total]),
  };
  const done = (name: string, tally: unknown) => void saved.set(name, tally);
  const { tallies } = await comparePair(pair, { ...options, resume: { tally: () => null, done } });
  expect(seen).toHaveLength(25);
  expect(seen.at(-1)).toEqual([26048 * 6, 26048 * 6]);
  const resume = {
    tally: (name: string) =>
      name.startsWith("layers.0") ? (saved.get(name) as ReturnType<DifferenceTally["toJSON"]>) : null,
    done,
  };
  seen.length = 0;
  const again = await comparePair(pair, { ...options, resume });
  expect(seen).toHaveLength(15);
  expect(seen.at(-1)).toEqual([26048 * 6, 26048 * 6]);
  expect(again.tallies).toEqual(tallies);
  await pair.close();
});
