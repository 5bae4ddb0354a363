import { describe, expect, test } from "vitest";
import { productsOf, provenProducts } from "../../../src/engine/wasm/products/products.js";
import { plainProducts } from "../../../src/geometry/products.js";

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
    expect(found.images).toEqual(right.images);
    expect(found.gathered).toEqual(right.gathered);
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
