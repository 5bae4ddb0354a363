import { describe, expect, test } from "vitest";
import { codeCounterOf, provenChanges } from "../../../src/engine/wasm/changes/changes.js";
import { provenKernel } from "../../../src/engine/wasm/difference/comparison.js";
import { format } from "../../../src/format/registry.js";
import { countChanges, expectedMargins } from "../../../src/geometry/changes.js";
import type { MatrixPair } from "../../../src/geometry/matrix.js";
import { compareNumbers, DifferenceTally } from "../../../src/lens/difference/difference.js";
import { uniform } from "../../geometry/support.js";
import { sized } from "../../support/tier.js";

const kernel = await provenChanges();
const codes = codeCounterOf(kernel);

test("there is a kernel here, which counts as numbers are counted", () => {
  expect(codes).not.toBeNull();
});

/** Not an expectation each, which would take longer than all else. */
function farthest(found: Float64Array, right: Float64Array): number {
  return found.reduce((most, share, i) => Math.max(most, Math.abs(share - right[i])), 0);
}

const numberOf = (code: number) => new Float32Array(Uint32Array.of(code << 16).buffer)[0];

/** A matrix of bf16 codes, of which a share changed. */
function matrixOf(rows: number, columns: number, share: number, bad: number | null = null): MatrixPair {
  const next = uniform(rows + columns);
  const base = Uint16Array.from({ length: rows * columns }, () => {
    // Sizes around those of weights, of either sign, zeros and subnormals among them.
    if (next() < 0.02) return (next() < 0.5 ? 0x8000 : 0) + Math.floor(3 * next());
    return (next() < 0.5 ? 0x8000 : 0) + 0x3a00 + Math.floor(0x300 * next());
  });
  const tuned = base.map((code) => (next() < share ? (next() < 0.1 ? code ^ 0x8000 : code + 1) : code));
  if (bad !== null) tuned[bad] = 0xff80;
  return matrixOfCodes(rows, columns, base, tuned);
}

function matrixOfCodes(rows: number, columns: number, base: Uint16Array, tuned: Uint16Array): MatrixPair {
  const part = (numbers: Uint16Array, first: number, count: number) =>
    numbers.subarray(first * columns, (first + count) * columns);
  return {
    name: "codes",
    rows,
    columns,
    read: async (first, count) => ({
      base: Float32Array.from(part(base, first, count), numberOf),
      tuned: Float32Array.from(part(tuned, first, count), numberOf),
    }),
    readCodes: async (start, count, intoBase, intoTuned) => {
      intoBase.set(base.subarray(start, start + count));
      intoTuned?.set(tuned.subarray(start, start + count));
    },
  };
}

describe.each([
  [8, 8, 0.5],
  [9, 16, 1],
  [3, 1000, 0.2],
  [1100, 33, 0.7],
  [70, 4099, 0],
])("%i x %i, a share of %d changed", (rows, columns, share) => {
  const matrix = matrixOf(rows, columns, share);

  test("counts are those of numbers, sums are theirs to rounding", async () => {
    const [found, right] = [await countChanges(matrix, false, codes), await countChanges(matrix)];
    expect(found.rows).toEqual(right.rows);
    expect(found.columns).toEqual(right.columns);
    for (const count of ["all", "changed"] as const) {
      expect(Buffer.from(found.counts[count].buffer).equals(Buffer.from(right.counts[count].buffer))).toBe(
        true,
      );
    }
    expect(found.baseSquared / right.baseSquared).toBeCloseTo(1, 12);
    expect(found.changeSquared).toBeGreaterThanOrEqual(0);
    expect(Math.abs(found.changeSquared - right.changeSquared)).toBeLessThanOrEqual(
      1e-7 * right.changeSquared,
    );
  });

  test("margins are those of numbers to the rounding of fp32", async () => {
    const { counts } = await countChanges(matrix);
    const [found, right] = [
      await expectedMargins(matrix, counts, codes),
      await expectedMargins(matrix, counts),
    ];
    for (const side of ["rows", "columns"] as const) {
      expect(farthest(found[side], right[side])).toBeLessThan(1e-5);
    }
  });
});

test("margins of many rows, and of sizes from the smallest to the largest, are those of numbers", async () => {
  const next = uniform(3);
  const many = [2 ** 16 + 40, 16] as const;
  for (const [rows, columns] of [[30, 500] as const, ...sized({ quick: [], full: [many] })]) {
    const base = Uint16Array.from({ length: rows * columns }, () =>
      // A quarter has sizes far from those of the others.
      next() < 0.25 ? Math.floor(0x7f80 * next()) : 0x8000 + 0x3c00 + Math.floor(0x100 * next()),
    );
    const tuned = base.map((code) => (next() < 0.3 * ((code & 0x7f) / 0x7f) ? code ^ 1 : code));
    const matrix = matrixOfCodes(rows, columns, base, tuned);
    const { counts } = await countChanges(matrix, false, codes);
    const [found, right] = [
      await expectedMargins(matrix, counts, codes),
      await expectedMargins(matrix, counts),
    ];
    for (const side of ["rows", "columns"] as const) {
      expect(farthest(found[side], right[side])).toBeLessThan(1e-5);
    }
  }
});

describe("rows that pieces cut, and rows longer than a piece", () => {
  // A piece is 2^17 elements.
  const withDifference = async () => codeCounterOf(kernel, await provenKernel());

  test.each([
    [45, 2987, null],
    [2, 2 ** 17 + 48, null],
    [45, 2987, 2 ** 17 + 5],
  ])("%i x %i: changes and the counts of diff are those of numbers", async (rows, columns, bad) => {
    const matrix = matrixOf(rows, columns, 0.1, bad);
    const found = await countChanges(matrix, false, await withDifference());
    const right = await countChanges(matrix);
    expect(Buffer.from(found.rows.buffer).equals(Buffer.from(right.rows.buffer))).toBe(true);
    expect(Buffer.from(found.columns.buffer).equals(Buffer.from(right.columns.buffer))).toBe(true);
    expect(found.counts.elements).toBe(right.counts.elements);
    expect(found.nonfinite).toBe(bad === null ? 0 : 1);
    const { base, tuned } = await matrix.read(0, rows);
    const expected = new DifferenceTally();
    const numbers = { before: Float64Array.from(base), after: Float64Array.from(tuned) };
    compareNumbers(numbers, format("bf16"), expected);
    expect(found.difference!.toJSON()).toEqual(expected.toJSON());
    expect(right.difference).toBeNull();
  });
});

test("what is not finite is counted as numbers", async () => {
  for (const bad of [0, 37, 8 * 43 - 1]) {
    const { nonfinite, rows } = await countChanges(matrixOf(8, 43, 0.5, bad), false, codes);
    expect(nonfinite).toBe(1);
    expect(rows).toHaveLength(8);
  }
});
