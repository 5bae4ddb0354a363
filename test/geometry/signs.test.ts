import { expect, test } from "vitest";
import { type Operand, tilesOf } from "../../src/geometry/matrix.js";
import { randomBits, stepKey, tensorKey } from "../../src/update/threefry.js";
import { pairOf } from "./support.js";

const rows = 9;
const columns = 37;
const numbers = (step: number) =>
  Float32Array.from({ length: rows * columns }, (_, i) => Math.fround(Math.sin(i + step)));
const [base, tuned] = [numbers(0), numbers(0.1)];
const matrix = pairOf("w", { rows, columns, numbers: base }, { rows, columns, numbers: tuned });
const signs = stepKey(tensorKey(3, "w"), 1);

async function whole(operand: Operand, pair = matrix): Promise<number[]> {
  const all: number[] = [];
  for await (const { numbers } of tilesOf(pair, operand)) all.push(...numbers);
  return all;
}

test("signs are bits of Threefry, by element: 32 of a word", async () => {
  const expected = Array.from(tuned, (w, i) => {
    const change = Math.fround(w - base[i]);
    const bit = (randomBits(signs, Math.floor(i / 32), 0) >>> (i % 32)) & 1;
    return bit ? -change : change;
  });
  expect(await whole({ of: "change", signs })).toEqual(expected);
  const added = expected.map((change, i) => Math.fround(base[i] + change));
  expect(await whole({ of: "tuned", signs })).toEqual(added);
  const turned = expected.filter((change, i) => change !== Math.fround(tuned[i] - base[i])).length;
  expect(turned).toBeGreaterThan(rows * columns * 0.4);
  expect(turned).toBeLessThan(rows * columns * 0.6);
});

test("without signs they are the numbers of the files", async () => {
  expect(await whole({ of: "base", signs: null })).toEqual([...base]);
  expect(await whole({ of: "tuned", signs: null })).toEqual([...tuned]);
  expect(await whole({ of: "change", signs: null })).toEqual(
    Array.from(tuned, (w, i) => Math.fround(w - base[i])),
  );
});

test("a draw does not depend on tiles", async () => {
  // Rows that are wider than a tile are read four at a time.
  const [wide, high] = [2 ** 18 + 5, 6];
  const filled = (x: number) => ({
    rows: high,
    columns: wide,
    numbers: new Float32Array(high * wide).fill(x),
  });
  const read: number[] = [];
  const pair = pairOf("w", filled(0), filled(1));
  const counting = {
    ...pair,
    read: (first: number, count: number) => {
      read.push(count);
      return pair.read(first, count);
    },
  };
  let [at, right] = [0, 0];
  for await (const { numbers } of tilesOf(counting, { of: "change", signs })) {
    for (let i = 0; i < numbers.length; i += 997) {
      const element = at + i;
      const bit = (randomBits(signs, Math.floor(element / 32), 0) >>> (element % 32)) & 1;
      right += Number(numbers[i] === (bit ? -1 : 1));
    }
    at += numbers.length;
  }
  expect(read).toEqual([4, 2]);
  expect(at).toBe(high * wide);
  expect(right).toBe(Math.ceil((4 * wide) / 997) + Math.ceil((2 * wide) / 997));
});
