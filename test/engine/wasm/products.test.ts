import { describe, expect, test } from "vitest";
import { productsOf, provenProducts } from "../../../src/engine/wasm/products/products.js";
import type { MatrixPair, Operand } from "../../../src/geometry/matrix.js";
import { passThrough, plainProducts } from "../../../src/geometry/products.js";
import { randomBits, stepKey, tensorKey } from "../../../src/update/threefry.js";
import { seeded } from "../../source/support.js";
import { expectEqual } from "../../support/mismatches.js";

const kernel = await provenProducts();

test("there is a kernel here, which agrees with products in fp64", () => {
  expect(kernel).not.toBeNull();
});

/** Integers, of which fp32 sums are exact: any element that is missed or taken twice shows. */
const integer = (i: number) => ((i * 7919) % 17) - 8;

describe.each([
  [1, 1, 1],
  [3, 5, 7],
  [4, 8, 8],
  [64, 255, 72],
  [30, 257, 9],
  [127, 1027, 16],
  [512, 40, 300],
])("tiles of %i x %i times %i vectors", (rows, columns, width) => {
  const tiles = [rows, Math.max(1, rows - 1), 1].map((count, n) => ({
    count,
    numbers: Float32Array.from({ length: count * columns }, (_, i) => integer(i + n)),
  }));
  const x = Float64Array.from({ length: columns * width }, (_, i) => integer(i + 5) / 8);
  const [found, right] = [productsOf(kernel), plainProducts].map((productsFor) => {
    const products = productsFor(columns, width, rows);
    const images = [];
    // What a block before left behind must not show.
    for (const block of [x.map((value) => value + 1), x]) {
      products.begin(block);
      images.length = 0;
      for (const { numbers, count } of tiles) images.push(products.multiply(numbers, count, true).slice());
    }
    return { images, gathered: products.gathered() };
  });

  test("give the sums of products in fp64", () => {
    expectEqual(found.images, right.images);
    expectEqual(found.gathered, right.gathered);
  });
});

test("what does not fit the memory is multiplied in fp64", () => {
  const products = productsOf(kernel)(2 ** 20, 64, 4);
  products.begin(new Float64Array(2 ** 26));
  const tile = new Float32Array(2 ** 20).fill(1);
  expect(products.multiply(tile, 1, false)).toEqual(new Float64Array(64));
});

test("without a kernel too", () => {
  expect(productsOf(null)).toBe(plainProducts);
});

const signs = stepKey(tensorKey(7, "w"), 2);
const operands: readonly Operand[] = [
  { of: "base", signs: null },
  { of: "tuned", signs: null },
  { of: "tuned", signs },
  { of: "change", signs: null },
  { of: "change", signs },
];

const numberOf = (code: number) => new Float32Array(Uint32Array.of(code << 16).buffer)[0];

/** Codes of finite numbers of all sizes, subnormal ones and zeros among them, and what is near them. */
function sides(length: number): Record<"base" | "tuned", Uint16Array> {
  const below = seeded(length);
  const base = Uint16Array.from(
    { length },
    () => (below(8) === 0 ? below(3) : below(0x7f00)) + 0x8000 * below(2),
  );
  return { base, tuned: base.map((code) => (below(3) === 0 ? code ^ (1 << below(5)) : code)) };
}

describe.each(operands)("codes as tiles, $of, signs $signs", ({ of: side, signs: key }) => {
  test("are the numbers of the operand, wherever a tile begins", () => {
    const [columns, rows] = [12, 7];
    const products = productsOf(kernel)(columns, columns, rows);
    // Times the identity a tile is itself.
    products.begin(Float64Array.from({ length: columns ** 2 }, (_, i) => Number(i % (columns + 1) === 0)));
    const { base, tuned } = sides(columns * rows);
    for (const [start, count] of [
      [0, 7],
      [36, 7],
      [60, 3],
      [2 ** 32 + 4, 1],
    ]) {
      products.codes!.base.set(base);
      products.codes!.tuned.set(tuned);
      products.codes!.form({ of: side, signs: key }, start, count);
      const expected = Array.from({ length: count * columns }, (_, i) => {
        const [from, to] = [numberOf(base[i]), numberOf(tuned[i])];
        if (side === "base") return from + 0;
        if (side === "tuned" && key === null) return to + 0;
        const element = start + i;
        const bit = key && (randomBits(key, Math.floor(element / 32), 0) >>> (element % 32)) & 1;
        const change = (bit ? -1 : 1) * Math.fround(to - from);
        return Math.fround((side === "tuned" ? from : 0) + change) + 0;
      });
      expect([...products.multiply(null, count, false)]).toEqual(expected);
    }
  });

  test("give a passage the bits that numbers give it", async () => {
    for (const [rows, columns] of [
      [9, 64],
      [5, 33],
      [600, 20],
    ]) {
      const { base, tuned } = sides(rows * columns);
      const part = <T extends Uint16Array | Float32Array>(whole: T, first: number, count: number) =>
        whole.subarray(first * columns, (first + count) * columns) as T;
      const [from, to] = [base, tuned].map((codes) => Float32Array.from(codes, numberOf));
      const numbers: MatrixPair = {
        name: "w",
        rows,
        columns,
        read: async (first, count) => ({ base: part(from, first, count), tuned: part(to, first, count) }),
      };
      const codes: MatrixPair = {
        ...numbers,
        readCodes: async (first, count, intoBase, intoTuned) => {
          intoBase.set(part(base, first, count));
          intoTuned?.set(part(tuned, first, count));
        },
      };
      const width = 5;
      const x = Float64Array.from({ length: columns * width }, (_, i) => Math.sin(i));
      const passages = [];
      for (const matrix of [numbers, codes]) {
        const products = productsOf(kernel)(columns, width, Math.min(rows, 512));
        const passage = await passThrough(matrix, { of: side, signs: key }, products, x, width);
        passages.push({ image: [...passage.image], gathered: [...passage.gathered] });
      }
      expect(passages[1]).toEqual(passages[0]);
    }
  });
});
