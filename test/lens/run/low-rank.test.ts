import { describe, expect, test } from "vitest";
import { format } from "../../../src/format/registry.js";
import { lowRankValues, negated } from "../../../src/lens/run/low-rank.js";
import { drawnProduct } from "../../support/low-rank.js";

/** fp32 numbers of all sizes (xorshift32). */
function drawer(seed: number): () => number {
  let state = seed;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return () => Math.fround((next() - 0.5) * 2 ** Math.floor(next() * 30 - 20));
}

const shapes = [
  { rows: 7, columns: 13, rank: 1, scale: 2 },
  { rows: 5, columns: 31, rank: 4, scale: 0.1 },
  { rows: 33, columns: 3, rank: 6, scale: Math.sqrt(2) },
  // Wider than what is summed at once.
  { rows: 2, columns: 4100, rank: 9, scale: -1 / 3 },
  { rows: 1, columns: 1, rank: 3, scale: 1 },
];
const orders = [
  [false, false],
  [true, true],
  [true, false],
] as const;

describe.each(shapes)("a product of $rows x $columns, rank $rank", (shape) => {
  test.each(orders)("is that of three plain loops, transposed %s, %s", async (...transposed) => {
    const { product, plain } = drawnProduct(shape, drawer(shape.rows + shape.rank), transposed);
    const values = lowRankValues(product);
    expect(values.length).toBe(plain.length);
    const whole = new Float32Array(plain.length);
    await values.read(0, whole);
    expect(new Uint32Array(whole.buffer)).toEqual(new Uint32Array(plain.buffer));
    // In pieces that begin and end anywhere, in any order, and as fp64 numbers.
    for (let from = plain.length - 1; from >= 0; from -= 1 + Math.floor(plain.length / 7)) {
      const piece = new Float64Array(Math.min(plain.length - from, 2 + (from % 11)));
      await values.read(from, piece);
      expect(piece).toEqual(Float64Array.from(plain.subarray(from, from + piece.length)));
    }
  });
});

test("the order of a sum is that of the rank: a large term that is taken away again leaves what came after it", async () => {
  const draws = [2 ** 60, 1, -(2 ** 60), 2 ** -30, 1, 1, 1, 1][Symbol.iterator]();
  const matrix = { rows: 1, columns: 1, rank: 4, scale: 1 };
  const { product } = drawnProduct(matrix, () => draws.next().value!, [false, false]);
  const sum = new Float32Array(1);
  await lowRankValues(product).read(0, sum);
  // Pairwise, or from the other end, it would be another number.
  expect(sum[0]).toBe(2 ** -30);
});

test("the negated product has the other signs, and nothing else", async () => {
  const { product, plain } = drawnProduct(shapes[1], drawer(3), [false, false]);
  const numbers = new Float32Array(plain.length);
  await lowRankValues(negated(product)).read(0, numbers);
  expect(numbers).toEqual(plain.map((x) => -x));
});

test("a product that is stored in bf16 first is rounded twice: to fp32, then to the upper half of its bits", async () => {
  const { product, plain } = drawnProduct(shapes[1], drawer(5), [false, false]);
  const numbers = new Float32Array(plain.length);
  await lowRankValues({ ...product, rounded: format("bf16") }).read(0, numbers);
  const words = new Uint32Array(plain.buffer);
  const nearest = words.map((word) => (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000);
  expect(new Uint32Array(numbers.buffer)).toEqual(nearest);
});

test("factors that cannot be read are asked for again", async () => {
  const { product, plain } = drawnProduct(shapes[0], drawer(9), [false, false]);
  let fails = true;
  const { values } = product.right;
  const read: typeof values.read = async (start, into) => {
    if (fails) throw new Error("gone");
    await values.read(start, into);
  };
  const flaky = lowRankValues({ ...product, right: { values: { ...values, read }, transposed: false } });
  const numbers = new Float32Array(plain.length);
  await expect(flaky.read(0, numbers)).rejects.toThrow("gone");
  fails = false;
  await flaky.read(0, numbers);
  expect(numbers).toEqual(plain);
});

describe("what is read of the factors", () => {
  const shape = { rows: 6, columns: 5, rank: 3, scale: 1 };

  /** The product of drawn factors, and from where on how many numbers of each were read. */
  function watched(transposed: readonly [boolean, boolean]) {
    const { product } = drawnProduct(shape, drawer(11), transposed);
    const reads: Record<"left" | "right", [start: number, count: number][]> = { left: [], right: [] };
    const watch = (side: "left" | "right") => {
      const { values } = product[side];
      const read: typeof values.read = (start, into) => {
        reads[side].push([start, into.length]);
        return values.read(start, into);
      };
      return { ...product[side], values: { ...values, read } };
    };
    return { values: lowRankValues({ ...product, left: watch("left"), right: watch("right") }), reads };
  }

  test("is the right one once for all pieces, and of the left one the rows of a piece", async () => {
    const { values, reads } = watched([false, false]);
    // Elements 7 to 17 lie in rows 1 to 3, the last three in row 5.
    await values.read(7, new Float32Array(11));
    await values.read(27, new Float32Array(3));
    const { columns, rank } = shape;
    expect(reads).toEqual({
      left: [
        [1 * rank, 3 * rank],
        [5 * rank, 1 * rank],
      ],
      right: [[0, rank * columns]],
    });
  });

  test("is all of a factor at once, though it is stored column by column, and a part of each column for some rows", async () => {
    const { values, reads } = watched([true, true]);
    const { rows, columns, rank } = shape;
    await values.read(0, new Float32Array(rows * columns));
    await values.read(5, new Float32Array(10));
    expect(reads).toEqual({
      left: [[0, rows * rank], ...[0, 1, 2].map((column) => [column * rows + 1, 2])],
      right: [[0, rank * columns]],
    });
  });

  test("is nothing for a piece of no elements", async () => {
    const { values, reads } = watched([false, false]);
    await values.read(7, new Float32Array(0));
    expect(reads).toEqual({ left: [], right: [] });
  });
});
