import { describe, expect, it, test } from "vitest";
import { format } from "../../src/format/registry.js";
import {
  countOf,
  countOfAll,
  drawnValues,
  originOf,
  pieceOf,
  type StoredBytes,
  scaledValues,
  type TensorInput,
  type Values,
  valuesOf as valuesInMemory,
} from "../../src/lens/input.js";
import { quantileDraw } from "../../src/update/quantiles.js";
import { randomBits, stepKey, tensorKey } from "../../src/update/threefry.js";

const bytes: StoredBytes = { in: "a file", byteOffset: 8, format: format("bf16") };

function valuesOf(numbers: ArrayLike<number>, origin?: Values["origin"]): Values {
  return {
    length: numbers.length,
    ...(origin && { origin }),
    read: async (start, into) => {
      for (let i = 0; i < into.length; i++) into[i] = numbers[start + i];
    },
  };
}

async function read(values: Values, start: number, length: number): Promise<number[]> {
  const into = new Float64Array(length);
  await values.read(start, into);
  return [...into];
}

test("numbers tell where they come from, by kind", () => {
  const stored = valuesOf([1], { kind: "stored", of: bytes });
  expect(originOf(stored, "stored")).toBe(bytes);
  expect(originOf(stored, "quantiles")).toBeUndefined();
  expect(originOf(valuesOf([1]), "stored")).toBeUndefined();
});

describe("numbers times a factor", () => {
  it("are rounded to fp32 once each, the factor first", async () => {
    const scaled = scaledValues(valuesOf([1, 3, -5, 1 + 2 ** -23]), 0.1);
    expect(scaled.length).toBe(4);
    // The fp32 number nearest to 0.1 is 13421773 / 2^27.
    const tenth = 13421773 / 2 ** 27;
    expect(await read(scaled, 1, 2)).toEqual([Math.fround(3 * tenth), Math.fround(-5 * tenth)]);
    expect(await read(scaled, 0, 1)).toEqual([tenth]);
  });

  it("are still bytes with one scale, and no longer with two", () => {
    const stored = valuesOf([1, 2], { kind: "stored", of: bytes });
    const once = scaledValues(stored, 0.1);
    expect(once.origin).toEqual({ kind: "stored", of: { ...bytes, scale: Math.fround(0.1) } });
    expect(scaledValues(once, 2)).not.toHaveProperty("origin");
    expect(scaledValues(valuesOf([1]), 2)).not.toHaveProperty("origin");
    const product = valuesOf([1], { kind: "weights", of: {} as never });
    expect(scaledValues(product, 2)).not.toHaveProperty("origin");
  });
});

describe("a piece of a tensor", () => {
  const update = valuesOf([10, 20, 30, 40, 50]);
  const tensor: TensorInput = {
    name: "w",
    shape: [5],
    weights: valuesOf([1, 2, 3, 4, 5], { kind: "stored", of: bytes }),
    updates: [update, update],
  };

  it("keeps the indices of its elements, and ends before the end", async () => {
    const piece = pieceOf(tensor, 2, 4);
    expect(piece).toMatchObject({ name: "w", shape: [5], start: 2 });
    expect([piece.weights.length, ...piece.updates.map(({ length }) => length)]).toEqual([4, 4, 4]);
    expect(await read(piece.weights, 2, 2)).toEqual([3, 4]);
    expect(await read(piece.updates[1], 2, 2)).toEqual([30, 40]);
    expect(originOf(piece.weights, "stored")).toBe(bytes);
    expect(piece).not.toHaveProperty("optimizer");
  });

  it("from the first element has no start", () => {
    expect(pieceOf(tensor, 0, 3)).not.toHaveProperty("start");
  });

  it("counts its own elements", () => {
    const piece = pieceOf(tensor, 2, 4);
    expect([tensor, piece].map(countOf)).toEqual([5, 2]);
    expect(countOfAll([tensor, piece, piece])).toBe(9);
    expect(countOfAll([])).toBe(0);
  });

  it("has simulated updates of its own weights", () => {
    const simulated = { kind: "simulated", of: { of: {} as never, t: 3, weights: tensor.weights } } as const;
    const piece = pieceOf({ ...tensor, updates: [valuesOf([1, 2, 3, 4, 5], simulated), update] }, 1, 4);
    const step = originOf(piece.updates[0], "simulated")!;
    expect(step.weights).toBe(piece.weights);
    expect(step).toMatchObject({ of: simulated.of.of, t: 3 });
    expect(piece.updates[0].length).toBe(4);
    expect(piece.updates[1]).not.toHaveProperty("origin");
  });

  it("has that piece of the moments that were recorded", async () => {
    const optimizer = { settings: [], stepsTaken: 7, moments: { M: update } };
    const piece = pieceOf({ ...tensor, optimizer }, 1, 3).optimizer!;
    expect(piece).toMatchObject({ settings: [], stepsTaken: 7 });
    expect(Object.keys(piece.moments)).toEqual(["M"]);
    expect(piece.moments.M!.length).toBe(3);
    expect(await read(piece.moments.M!, 1, 2)).toEqual([20, 30]);
    const second = pieceOf({ ...tensor, optimizer: { ...optimizer, moments: { V: update } } }, 1, 3);
    expect(Object.keys(second.optimizer!.moments)).toEqual(["V"]);
    const empty = pieceOf({ ...tensor, optimizer: { ...optimizer, moments: {} } }, 1, 3);
    expect(empty.optimizer!.moments).toEqual({});
  });
});

test("drawn numbers are those of their index, wherever reading begins", async () => {
  const quantiles = { table: Float32Array.of(-2, -1, 1, 2), key: stepKey(tensorKey(0, "w"), 1) };
  const drawn = drawnValues(6, quantiles);
  expect(drawn.length).toBe(6);
  expect(originOf(drawn, "quantiles")).toBe(quantiles);
  // The two leading bits of 32 random ones choose among four.
  const chosen = (i: number) => quantiles.table[randomBits(quantiles.key, i, quantileDraw) >>> 30];
  expect(await read(drawn, 0, 6)).toEqual([0, 1, 2, 3, 4, 5].map(chosen));
  expect(await read(drawn, 4, 2)).toEqual([4, 5].map(chosen));
});

test("numbers in memory are read from any place on", async () => {
  const values = valuesInMemory([3, 1, 4, 2, 5]);
  expect(values.length).toBe(5);
  const into = new Float32Array(2);
  await values.read(2, into);
  expect([...into]).toEqual([4, 2]);
});
