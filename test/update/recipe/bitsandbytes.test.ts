import { describe, expect, it } from "vitest";
import { recipe } from "../../../src/update/optimizer.js";
import { dynamicMap, nearestCode, storeBlock } from "../../../src/update/recipe/bitsandbytes.js";
import { float32Bits, stepFloat32 } from "../../support/bits.js";
import { expectEqual } from "../../support/mismatches.js";
import { f } from "../../support/recipes-by-hand.js";

/** torch.linspace(.1, 1) of so many parts: below the middle counted from the start, from there on from the end. */
function boundaries(parts: number): number[] {
  const step = f(f(1 - f(0.1)) / parts);
  const fromStart = Array.from({ length: parts + 1 }, (_, i) => f(f(0.1) + f(step * i)));
  const fromEnd = Array.from({ length: parts + 1 }, (_, i) => f(1 - f(step * i))).reverse();
  const middle = Math.floor((parts + 1) / 2);
  return [...fromStart.slice(0, middle), ...fromEnd.slice(middle)];
}

describe("the table", () => {
  it.each([
    ["of m", true, 128, -0.9929687],
    ["of v", false, 0, 0],
  ] as const)("%s: 0, 1 and the middles of equal parts of powers of ten", (_, signed, zero, first) => {
    const table = dynamicMap(signed);
    expect(new Set(table).size).toBe(256);
    expect([table.indexOf(0), table.at(-1), table.length]).toEqual([signed ? 127 : zero, 1, 256]);
    expect(table[0]).toBeCloseTo(first, 6);
    const exact = [0, 1];
    for (let i = 0; i < 7; i++) {
      const parts = 2 ** (signed ? i : i + 1);
      for (let j = 0; j < parts; j++) {
        const middle = 10 ** (i - 6) * (0.1 + (0.9 * (j + 0.5)) / parts);
        exact.push(middle, ...(signed ? [-middle] : []));
      }
    }
    exact.sort((a, b) => a - b);
    // Three roundings, of a boundary, a middle and a product, are less than two gaps.
    for (const [i, x] of exact.entries()) {
      expect(Math.abs(table[i] - x)).toBeLessThan(2 ** -22 * Math.abs(x) + 1e-12);
    }
  });
});

describe.each([true, false])("the table, signed: %s", (signed) => {
  const table = dynamicMap(signed);

  it("has the bits of create_dynamic_map, written a second time", () => {
    const numbers = [0, 1];
    for (const [i, size] of [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1].entries()) {
      const ends = boundaries(2 ** i * (signed ? 1 : 2));
      for (const [j, end] of ends.slice(1).entries()) {
        const mean = f(f(size) * f(f(ends[j] + end) * 0.5));
        numbers.push(mean, ...(signed ? [-mean] : []));
      }
    }
    const found = Array.from(table, float32Bits);
    expect(found).toEqual(numbers.sort((a, b) => a - b).map(float32Bits));
  });

  it("is searched for the nearest number; of two as near, it is the one with the even code", () => {
    const lowest = signed ? -1 : 0;
    const wrong: unknown[] = [];
    const expectCode = (x: number, expected: number) => {
      const found = nearestCode(x, table, lowest);
      if (found !== expected) wrong.push({ x, found, expected });
    };
    for (let code = 0; code < 256; code++) expectCode(table[code], code);
    for (let code = 0; code < 255; code++) {
      const middle = f(f(table[code] + table[code + 1]) * 0.5);
      expectCode(stepFloat32(middle, -1), code);
      expectCode(middle, code % 2 === 0 ? code : code + 1);
      expectCode(stepFloat32(middle, 1), code + 1);
    }
    expectCode(lowest, 0);
    expect(wrong).toEqual([]);
  });
});

describe("a block", () => {
  const [ofM, ofV] = [dynamicMap(true), dynamicMap(false)];
  const stored = (numbers: readonly number[], table: Float32Array) => {
    const block = Float32Array.from(numbers);
    storeBlock(block, table);
    return [...block];
  };

  it("is scaled by its largest magnitude, which a second moment keeps", () => {
    expect(stored([8, 0, 8 * ofV[200], 0.5], ofV)).toEqual([
      8,
      0,
      8 * ofV[200],
      8 * ofV[nearestCode(1 / 16, ofV, 0)],
    ]);
    expect(stored([0, 0], ofV)).toEqual([0, 0]);
  });

  it("a first moment has no -1, and -0.993 of the largest instead", () => {
    expect(stored([-4, 2], ofM)[0]).toBe(4 * ofM[0]);
    expect(ofM[0]).toBeCloseTo(-(0.1 + 0.9 * (1 - 1 / 128)), 6);
  });

  it("a first moment keeps its sign: a negative one near zero is stored as the negative number next to it", () => {
    const [zero, tiny] = [127, 2 ** -60];
    expect(ofM[zero]).toBe(0);
    expect(stored([1, tiny, -tiny, -0], ofM)).toEqual([1, 0, ofM[zero - 1], ofM[zero - 1]]);
  });

  it("of zeros stays zero", () => expect(stored([0, 0, 0], ofM).map(Math.abs)).toEqual([0, 0, 0]));
});

describe("tensors", () => {
  const { whole } = recipe("adamw", "bnb-adamw8bit");
  const moments = (elements: number) => {
    const numbers = Float32Array.from({ length: elements }, (_, i) => (i % 256 === 0 ? 1 : 1 / 3));
    const [M, V] = [numbers.slice(), numbers.slice()];
    whole!.run({ M, V }, { shape: [elements / 2, 2], scalar: () => 0, store: (x) => x });
    return { M, V, numbers };
  };

  it("of fewer than 4096 elements keep fp32 moments", () => {
    const { M, V, numbers } = moments(4094);
    for (const found of [M, V]) expectEqual(found, numbers);
  });

  it("of 4096 and more are stored in blocks of 256, each of its own size", () => {
    const { M, V } = moments(4096);
    for (const [found, table, lowest] of [
      [M, dynamicMap(true), -1],
      [V, dynamicMap(false), 0],
    ] as const) {
      const third = table[nearestCode(f(1 / 3), table, lowest)];
      expectEqual(
        found,
        Float32Array.from(found, (_, i) => (i % 256 === 0 ? 1 : third)),
      );
    }
    const sizes = Float32Array.from({ length: 4096 }, (_, i) => 2 ** -Math.floor(i / 256));
    const twice = [sizes.slice(), sizes.slice()];
    whole!.run({ M: twice[0], V: twice[1] }, { shape: [4096], scalar: () => 0, store: (x) => x });
    for (const found of twice) expectEqual(found, sizes);
  });
});
